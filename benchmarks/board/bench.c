/* One network on a board: how many instructions a call takes, and which bits it ends with. */
#include "shoal.h"
#include "sample.h"
#include "start.h"

static uint32_t memory[MEMORY / 4];
static float    y[OUTPUTS];

static void field(const char *name, uint32_t number)
{
    print("\"");
    print(name);
    print("\": ");
    print_number(number);
}

int main(void)
{
    struct shoal          *net;
    struct shoal_optimizer optimizer = {0.01f, 0.9f, 0.9f, 0.999f, 1e-7f, 0.0f};
    size_t                 needed;
    float                  loss = 0.0f;
    int                    bad = 0;
    if (shoal_memory_needed(&needed, image, sizeof image)) return 1;
    if (shoal_open(&net, image, sizeof image, memory, sizeof memory)) return 1;
    if (shoal_set_optimizer(net, &optimizer)) return 1;

    const uint32_t begin = ticks();
    for (uint32_t i = 0; i < SAMPLES; i++) bad |= shoal_predict(net, x[i], INPUTS, y, OUTPUTS);
    const uint32_t predicted = ticks();
    for (uint32_t i = 0; i < SAMPLES; i++)
        bad |= shoal_learn(net, x[i], INPUTS, target[i], TARGETS, NULL, 0, &loss);
    const uint32_t learned = ticks();

    print("{");
    field("predict", predicted - begin);
    print(", ");
    field("learn", learned - predicted);
    print(", ");
    field("memory", (uint32_t)needed);
    print(", ");
    field("stack", stack_used());
    print(", ");
    field("checksum", shoal_checksum(net));
    print("}\n");
    return bad != 0;
}
