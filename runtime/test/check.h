/* The whole test framework: CHECK says where a condition failed, check_end() is main's answer. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdio.h>

static unsigned long checks_made, checks_failed;

static inline bool check_one(bool good, const char *condition, const char *file, int line)
{
    checks_made++;
    if (!good && checks_failed++ < 20) fprintf(stderr, "%s:%d: failed: %s\n", file, line, condition);
    return good;
}

#define CHECK(condition) check_one((condition) != 0, #condition, __FILE__, __LINE__)

/* A test that checked nothing has failed. */
static inline int check_end(const char *name)
{
    printf("%-12s %lu checks, %lu failed\n", name, checks_made, checks_failed);
    return checks_failed == 0 && checks_made > 0 ? 0 : 1;
}

#endif
