/* GroupNorm: trains at batch 1, since each sample is normalised by itself, in groups of channels
 * (Wu and He, 2018). y = scale (x - mean) / deviation + shift. */
#include "network.h"
#include "elementary.h"

struct norm {
    const real             *x, *dy;
    real                   *mean, *inverse; /* of each group; inverse: 1 / deviation */
    size_t                  positions, channels, groups, size; /* size: channels of a group */
    struct parameters       scale, shift;
};

static struct norm describe(const struct shoal *net, const struct operation *op)
{
    const struct tensor in = tensor_at(net, op->in), aux = tensor_at(net, op->aux);
    struct norm         n = {0};
    n.x = values_of(net, &in);
    n.mean = values_of(net, &aux);
    n.groups = op->groups;
    n.inverse = n.mean + n.groups;
    n.channels = in.shape[2];
    n.positions = (size_t)in.shape[0] * in.shape[1];
    n.size = n.channels / n.groups;
    n.scale = parameters_of(net, op->weights);
    n.shift = parameters_of(net, op->bias);
    return n;
}

static void measure(struct norm *n, size_t group, float epsilon)
{
    const size_t first = group * n->size, end = first + n->size;
    const float  count = (float)(n->positions * n->size);
    real         sum = splat(0.0f), squares = splat(0.0f);
    for (size_t p = 0; p < n->positions; p++)
        for (size_t c = first; c < end; c++) sum += n->x[p * n->channels + c];
    const real mean = sum / count;
    for (size_t p = 0; p < n->positions; p++)
        for (size_t c = first; c < end; c++) {
            const real d = n->x[p * n->channels + c] - mean;
            squares += d * d;
        }
    n->mean[group] = mean;
    n->inverse[group] = 1.0f / real_sqrt(squares / count + epsilon);
}

void SHOAL_NAME(group_norm_forward)(struct shoal *net, const struct operation *op)
{
    const struct tensor out = tensor_at(net, op->out);
    real               *y = values_of(net, &out);
    struct norm         n = describe(net, op);
    for (size_t g = 0; g < n.groups; g++) {
        measure(&n, g, op->value[0]);
        for (size_t p = 0; p < n.positions; p++)
            for (size_t c = g * n.size; c < (g + 1) * n.size; c++) {
                const size_t i = p * n.channels + c;
                y[i] = ((n.x[i] - n.mean[g]) * n.inverse[g]) * parameter(n.scale.at, n.scale.shared, c) +
                       parameter(n.shift.at, n.shift.shared, c);
            }
    }
}

/* dx = (scale dy - mean(scale dy) - xhat mean(scale dy xhat)) / deviation, means over the group. */
static void input_gradients(const struct norm *n, real *dx, size_t g)
{
    const size_t first = g * n->size, end = first + n->size;
    const float  count = (float)(n->positions * n->size);
    const real   mean = n->mean[g], inverse = n->inverse[g];
    real         sum = splat(0.0f), product = splat(0.0f);
    for (size_t p = 0; p < n->positions; p++)
        for (size_t c = first; c < end; c++) {
            const size_t i = p * n->channels + c;
            const real   d = parameter(n->scale.at, n->scale.shared, c) * n->dy[i];
            sum += d;
            product += d * ((n->x[i] - mean) * inverse);
        }
    sum = sum / count;
    product = product / count;
    for (size_t p = 0; p < n->positions; p++)
        for (size_t c = first; c < end; c++) {
            const size_t i = p * n->channels + c;
            const real   d = parameter(n->scale.at, n->scale.shared, c) * n->dy[i];
            dx[i] = ((d - sum) - ((n->x[i] - mean) * inverse) * product) * inverse;
        }
}

static void scale_gradients(struct shoal *net, const struct operation *op, const struct norm *n)
{
    const struct tensor scale = tensor_at(net, op->weights);
    for (size_t r = 0; r < runs_of(op); r++) {
        const struct channels run = run_at(net, op, r, n->channels);
        for (size_t c = run.first; c < run.end; c++) {
            const size_t g = c / n->size;
            real         sum = splat(0.0f);
            for (size_t p = 0; p < n->positions; p++) {
                const size_t i = p * n->channels + c;
                sum += ((n->x[i] - n->mean[g]) * n->inverse[g]) * n->dy[i];
            }
            update_parameters(net, values_of(net, &scale) + c, &sum, 1);
        }
    }
}

void SHOAL_NAME(group_norm_backward)(struct shoal *net, const struct operation *op)
{
    const struct tensor gradient = tensor_at(net, op->in2);
    struct norm         n = describe(net, op);
    n.dy = values_of(net, &gradient);
    if (op->out != NONE) {
        const struct tensor dx = tensor_at(net, op->out);
        for (size_t g = 0; g < n.groups; g++) input_gradients(&n, values_of(net, &dx), g);
    }
    if (updates(net, op, UPDATE_WEIGHTS)) scale_gradients(net, op, &n);
    if (updates(net, op, UPDATE_BIAS)) update_bias(net, op, n.dy, n.positions, n.channels);
}
