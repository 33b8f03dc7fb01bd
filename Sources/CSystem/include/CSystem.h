#pragma once

/// The commit that the program was built from, or "unknown": `make` writes it into commit.h, which git ignores.
const char *preceptor_commit(void);

/// Processors that this process may run on, at least 1.
int preceptor_available_processors(void);
