// teacher-score
