/* Lets the application run for a few turns, restarts it, and says what that took, a name and a number in each
 * line. */
#include "app.h"
#include "board.h"
#include "golden.h"

#define PAINT 0xA5A5A5A5u /* what start.c fills the stack with */

static model_output answer[MODEL_OUTPUTS];

static void text(const char *at)
{
    while (*at) board_send(NULL, (uint8_t)*at++);
}

static void number(const char *name, uint32_t value)
{
    char  digits[11];
    char *at = digits + 10;
    *at = 0;
    do *--at = (char)('0' + value % 10);
    while (value /= 10);
    text(name);
    text(" ");
    text(at);
    text("\n");
}

static uint32_t bits_of(float value)
{
    union { float value; uint32_t bits; } both = {value};
    return both.bits;
}

static uint32_t stack_used(void)
{
    const uint32_t *at = stack_start;
    while (*at == PAINT) at++;
    return 4 * (uint32_t)(stack_end - at);
}

static bool started(void)
{
    const char *problem = app_start();
    text("start ");
    text(problem == NULL ? "ok" : problem);
    text("\n");
    return problem == NULL;
}

/* What one call takes, in ticks of the board's counter: a mean over TURNS samples. */
static void count(struct shoal *net)
{
    uint32_t predicting = 0, refused = 0;
    for (uint32_t i = 0; i < TURNS; i++) {
        golden_sample(shoal_input(net), i);
        const uint32_t begin = board_count(NULL);
        if (shoal_predict(net, shoal_input(net), MODEL_INPUTS, answer, MODEL_OUTPUTS) != SHOAL_OK) refused++;
        predicting += board_count(NULL) - begin;
    }
    number("predicting", predicting);
#if MODEL_LEARNS
    static float label[MODEL_TARGETS];
    uint32_t     learning = 0;
    for (uint32_t i = 0; i < TURNS; i++) {
        float loss;
        golden_sample(shoal_input(net), i);
        golden_target(label, i);
        const uint32_t begin = board_count(NULL);
        if (shoal_learn(net, shoal_input(net), MODEL_INPUTS, label, MODEL_TARGETS, NULL, 0, &loss) != SHOAL_OK)
            refused++;
        learning += board_count(NULL) - begin;
    }
    number("learning", learning);
#endif
    number("refused", refused);
}

int main(void)
{
    if (!started()) return 1;
    for (uint32_t i = 0; i < TURNS; i++) {
        const struct app_event event = app_step();
        if (event.status != SHOAL_OK) text(shoal_status_text(event.status));
        number("loss", bits_of(event.loss));
    }
    number("checksum", shoal_checksum(app_network()));
    if (!started()) return 1; /* the power was off: what was learnt comes from the flash */
    number("restarted", shoal_checksum(app_network()));
    count(app_network());
    number("stack", stack_used());
    text("end\n");
    return 0;
}
