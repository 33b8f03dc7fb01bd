# scripts/plot: logs become a drawing that is XML; what is no log is refused.
plot=$CLI/../../scripts/plot
python3 -c "
import json
for step in range(1, 9):
    print(json.dumps({'step': step, 'loss_nats_per_token': 9 / step, 'learning_rate': step / 1000, 'note': None}))" >a.log
sed 's/9\.0/8.5/' a.log >b.log
ends curves 0 "$plot --y loss_nats_per_token,learning_rate --smooth 3 --title 'A < B' 'one & two'=a.log,b.log b.log >curves.svg"
holds curves-are-xml "python3 -c \"
import xml.etree.ElementTree as tree
root = tree.parse('curves.svg').getroot()
titles = [t.text for t in root.iter('{http://www.w3.org/2000/svg}title')]
assert titles == ['one & two', 'b.log'] * 2, titles\""
ends logarithm 0 "$plot --log <a.log - >log.svg"
ends missing 65 "$plot nothing.log" "nothing.log: cannot open: no such file"
ends no-key 65 "$plot --y other a.log" "no line has numbers under 'step' and 'other'"
ends no-json 65 "echo x | $plot -" "-:1: not JSON"
ends nothing-common 65 "$plot x=a.log,c.log" "c.log"
ends usage 64 "$plot --smooth 0 a.log" "plot: --smooth must be at least 1"
ends no-log 64 "$plot" "plot: name a log"
