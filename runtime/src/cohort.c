/* Simulated devices, one in each lane. */
#include "network.h"
#include "shoal_cohort.h"
#include "turn.h"

#define LANES SHOAL_WIDTH
#define ALIGNMENT 64

/* The lanes of one group: devices [first, first + count) of the stream. */
struct group {
    const struct shoal_stream *stream;
    size_t                     first, count, longest;
    size_t                     samples[LANES];
    bool                       all_alike; /* every lane has `longest` samples */
};

/* Whether lanes can hold a tensor: floats and bytes. */
static bool is_plain(const struct shoal *net, uint16_t number)
{
    const uint8_t type = tensor_at(net, number).type;
    return type == F32 || bytes_in(type) == 1;
}

/* Opens a network; room for one sample's targets lies behind it. */
static enum shoal_status open_group(struct shoal **net, real **targets, const void *image,
                                    size_t image_size, void *memory, size_t memory_size)
{
    if ((uintptr_t)memory % ALIGNMENT != 0) return SHOAL_ERROR_ALIGNMENT;
    const enum shoal_status status = SHOAL_NAME(open)(net, image, image_size, memory, memory_size);
    if (status != SHOAL_OK) return status;
    if ((*net)->header.quantized > 0) return SHOAL_ERROR_NOT_TRAINABLE; /* visits share floats alone */
    if ((*net)->header.stream > 0 || !is_plain(*net, (*net)->header.input) || !is_plain(*net, (*net)->header.output))
        return SHOAL_ERROR_NOT_TRAINABLE;
    *targets = (*net)->arena + (*net)->header.arena;
    const size_t used = (size_t)((uint8_t *)(*targets + (*net)->outputs) - (uint8_t *)memory);
    return used <= memory_size ? SHOAL_OK : SHOAL_ERROR_MEMORY;
}

enum shoal_status SHOAL_NAME(cohort_memory)(size_t *memory_size, const void *image, size_t image_size)
{
    struct shoal      net;
    size_t            size = 0;
    enum shoal_status status = SHOAL_NAME(check_image)(&net, &size, image, image_size);
    *memory_size = status == SHOAL_OK ? size + sizeof(real) * net.outputs : 0;
    return status;
}

static struct group group_at(const struct shoal_stream *s, size_t first)
{
    struct group g = {s, first, s->devices - first < LANES ? s->devices - first : LANES, 0, {0}, true};
    for (size_t l = 0; l < g.count; l++) {
        g.samples[l] = s->counts ? s->counts[first + l] : s->samples;
        if (g.samples[l] > g.longest) g.longest = g.samples[l];
    }
    for (size_t l = 0; l < g.count; l++) g.all_alike &= g.samples[l] == g.longest;
    return g;
}

/* Samples of an integer type come as floats too: whole numbers in its range. */
static bool are_integers(const float *x, size_t count, uint8_t type)
{
    const float least = type == U8 ? 0.0f : -128.0f;
    for (size_t i = 0; i < count; i++)
        if (!(x[i] >= least && x[i] <= least + 255.0f && (float)(int32_t)x[i] == x[i])) return false;
    return true;
}

static enum shoal_status check_stream(const struct shoal *net, const struct shoal_stream *s)
{
    const struct tensor input = tensor_at(net, net->header.input);
    if (input.type != F32 && !are_integers(s->x, s->rows * net->inputs, input.type)) return SHOAL_ERROR_NOT_FINITE;
    for (size_t i = 0; s->counts && i < s->devices; i++)
        if (s->counts[i] > s->samples) return SHOAL_ERROR_SIZE;
    for (size_t i = 0; i < s->devices * s->samples; i++)
        if (s->row[i] >= s->rows) return SHOAL_ERROR_SIZE;
    return SHOAL_OK;
}

/* Which of its samples a lane is at; one that has ended repeats its last. */
SHOAL_INLINE size_t sample_of(const struct group *g, size_t lane, size_t sample)
{
    return sample < g->samples[lane] ? sample : g->samples[lane] > 0 ? g->samples[lane] - 1 : 0;
}

/* The values i of a lane l, from[l][i], go into that lane of to[i]. */
static void spread(real *to, const float *const *from, size_t count, size_t n)
{
    float *at = (float *)to;
    if (LANES == 1) memcpy(at, from[0], sizeof *at * n);
    else
        for (size_t i = 0; i < n; i++, at += LANES)
            for (size_t l = 0; l < count; l++) at[l] = from[l][i];
}

/* Puts sample number `sample` of each lane into the input tensor. */
static void feed(struct shoal *net, const struct group *g, size_t sample)
{
    const struct tensor input = tensor_at(net, net->header.input);
    const size_t        inputs = net->inputs, samples = g->stream->samples;
    const uint32_t     *row = g->stream->row + g->first * samples;
    const float        *from[LANES] = {NULL};
    for (size_t l = 0; l < g->count; l++, row += samples)
        from[l] = g->stream->x + (size_t)row[sample_of(g, l, sample)] * inputs;
    if (input.type == F32) {
        spread(values_of(net, &input), from, g->count, inputs);
        return;
    }
    for (size_t l = 0; l < g->count; l++) {
        uint8_t *bytes = bytes_of(net, &input, l);
        for (size_t i = 0; i < inputs; i++) bytes[i] = (uint8_t)(int32_t)from[l][i];
    }
}

static bool is_label(const struct shoal *net, float value)
{
    return value >= 0.0f && value < (float)net->active && (float)(uint32_t)value == value;
}

/* The targets likewise. A label that names no class marks its device. */
static void aim(const struct shoal *net, const struct group *g, size_t sample, real *targets,
                int32_t *status)
{
    const bool   label = net->operations[net->header.forward].code == CROSS_ENTROPY;
    const size_t n = net->targets, samples = g->stream->samples;
    const float *from[LANES] = {NULL}, *all = g->stream->targets + g->first * samples * n;
    for (size_t l = 0; l < g->count; l++, all += samples * n) {
        from[l] = all + sample_of(g, l, sample) * n;
        if (label && sample < g->samples[l] && status[l] == SHOAL_OK && !is_label(net, from[l][0]))
            status[l] = SHOAL_ERROR_LABEL;
    }
    spread(targets, from, g->count, n);
}

/* All lanes begin: their parameters, everything else of the state 0. */
static void start(struct shoal *net, const struct group *g, const float *from, size_t stride, size_t count)
{
    if (stride == 0) {
        for (size_t i = 0; i < count; i++) net->state[i] = splat(from[i]);
    } else {
        for (size_t l = 0; l < g->count; l++)
            for (size_t i = 0; i < count; i++)
                set_lane(&net->state[i], l, from[(g->first + l) * stride + i]);
    }
    memset(net->state + count, 0, sizeof(real) * (net->state_count - count));
    net->beta1_power = net->beta2_power = 1.0f;
    net->steps = net->pending = 0;
}

static void keep(const struct shoal *net, size_t l, float *end, size_t count)
{
    const float *state = (const float *)net->state;
    for (size_t i = 0; i < count; i++) end[i] = state[i * LANES + l];
}

/* All lanes at once: `between` values lie between the ends of two devices. */
static void keep_all(const struct shoal *net, float *end, size_t between, size_t count)
{
    const float *state = (const float *)net->state;
    size_t       i = 0;
    for (; LANES > 1 && i + 4 <= count; i += 4)
        for (size_t l = 0; l < LANES; l += 4)
            turn_block(end + l * between + i, between, state + i * LANES + l, LANES);
    for (; i < count; i++)
        for (size_t l = 0; l < LANES; l++) end[l * between + i] = state[i * LANES + l];
}

/* What one group needs while it visits. */
struct progress {
    real    loss; /* sum so far */
    int32_t status[LANES];
    size_t  phase, phase_end; /* phase_end: first sample that is not of this phase */
};

static void enter_phase(struct shoal *net, const struct shoal_visit *v, struct progress *p, size_t longest)
{
    const struct shoal_phase *phase = &v->phases[p->phase];
    net->optimizer = phase->optimizer;
    memcpy(net->frozen, phase->frozen, sizeof net->frozen);
    SHOAL_NAME(prune)(net);
    if (net->header.flags & ANCHOR) SHOAL_NAME(drop_anchor)(net);
    p->phase_end = p->phase + 1 < v->phase_count ? p->phase_end + phase->samples : longest;
}

static void learn_sample(struct shoal *net, const struct shoal_visit *v, const struct group *g,
                         struct progress *p, size_t sample, real *targets)
{
    feed(net, g, sample);
    aim(net, g, sample, targets, p->status);
    SHOAL_NAME(run_forward)(net, true);
    const real loss = SHOAL_NAME(run_learning)(net, targets);
    if (g->all_alike) {
        p->loss += loss; /* a sum that is not finite stays so: finish() sees it */
    } else {
        for (size_t l = 0; l < g->count; l++)
            if (sample < g->samples[l]) set_lane(&p->loss, l, lane(p->loss, l) + lane(loss, l));
    }
    const size_t end = p->phase_end < g->longest ? p->phase_end : g->longest;
    if (net->pending > 0 && (net->pending >= v->phases[p->phase].batch || sample + 1 == end))
        SHOAL_NAME(take_step)(net);
}

/* A loss or a parameter that is not finite fails its device. */
static void check_finite(const struct shoal *net, const struct group *g, size_t done, struct progress *p)
{
    const size_t n = net->header.parameters;
    real         sum = p->loss - p->loss, other = splat(0.0f), third = other, fourth = other;
    size_t       i = 0;
    for (; i + 4 <= n; i += 4) { /* four at a time; each stays 0 until a value is not finite */
        sum += net->state[i] - net->state[i];
        other += net->state[i + 1] - net->state[i + 1];
        third += net->state[i + 2] - net->state[i + 2];
        fourth += net->state[i + 3] - net->state[i + 3];
    }
    for (; i < n; i++) sum += net->state[i] - net->state[i];
    sum += (other + third) + fourth;
    for (size_t l = 0; l < g->count; l++)
        if (done == g->samples[l] && lane(sum, l) != 0.0f && p->status[l] == SHOAL_OK)
            p->status[l] = SHOAL_ERROR_NOT_FINITE;
}

/* Whether some device has had its last sample. */
static bool ends_at(const struct group *g, size_t done)
{
    bool ends = done == g->longest;
    for (size_t l = 0; !g->all_alike && l < g->count; l++) ends |= g->samples[l] == done;
    return ends;
}

static size_t marks_of(const struct shoal_visit *v) { return v->marks ? v->mark_count : 1; }

static void keep_marks(const struct shoal *net, const struct shoal_visit *v, const struct group *g, size_t done)
{
    const size_t between = marks_of(v) * v->end_count;
    if (v->end_count == 0) return;
    if (!v->marks && g->count == LANES && g->all_alike) {
        if (done == g->longest) keep_all(net, v->end + g->first * between, between, v->end_count);
        return;
    }
    for (size_t l = 0; l < g->count; l++)
        for (size_t m = 0; m < marks_of(v); m++)
            if (done == (v->marks ? v->marks[m] : g->samples[l]))
                keep(net, l, v->end + (g->first + l) * between + m * v->end_count, v->end_count);
}

/* A device that failed keeps what it started with. */
static void finish(const struct shoal_visit *v, const struct group *g, const struct progress *p)
{
    for (size_t l = 0; l < g->count; l++) {
        const size_t device = g->first + l;
        const size_t n = v->end_count < v->start_count ? v->end_count : v->start_count;
        v->status[device] = p->status[l];
        v->loss[device] = g->samples[l] > 0 ? lane(p->loss, l) / (float)g->samples[l] : 0.0f;
        if (p->status[l] == SHOAL_OK || v->end_count == 0) continue;
        for (size_t m = 0; m < marks_of(v); m++) {
            float *end = v->end + (device * marks_of(v) + m) * v->end_count;
            memset(end, 0, sizeof *end * v->end_count);
            memcpy(end, v->start + device * v->start_stride, sizeof *end * n);
        }
    }
}

static void visit_group(struct shoal *net, const struct shoal_visit *v, size_t first, real *targets)
{
    const struct group g = group_at(&v->stream, first);
    struct progress    p = {splat(0.0f), {0}, 0, 0};
    start(net, &g, v->start, v->start_stride, v->start_count);
    enter_phase(net, v, &p, g.longest);
    keep_marks(net, v, &g, 0);
    for (size_t sample = 0; sample < g.longest; sample++) {
        while (sample >= p.phase_end && p.phase + 1 < v->phase_count) {
            p.phase++;
            enter_phase(net, v, &p, g.longest);
        }
        learn_sample(net, v, &g, &p, sample, targets);
        keep_marks(net, v, &g, sample + 1);
        if (ends_at(&g, sample + 1)) check_finite(net, &g, sample + 1, &p);
    }
    finish(v, &g, &p);
}

/* Devices of different length share the earlier phases and end with a whole batch; all reach every mark. */
static enum shoal_status check_counts(const struct shoal_visit *v)
{
    const size_t last = v->phase_count - 1;
    size_t       earlier = 0;
    for (size_t i = 0; i < last; i++) earlier += v->phases[i].samples;
    size_t shortest = v->stream.samples;
    for (size_t i = 0; v->stream.counts && i < v->stream.devices; i++)
        if (v->stream.counts[i] < shortest) shortest = v->stream.counts[i];
    for (size_t i = 0; v->marks && i < v->mark_count; i++)
        if (v->marks[i] > shortest) return SHOAL_ERROR_SIZE;
    for (size_t i = 0; v->stream.counts && i < v->stream.devices; i++)
        if (v->stream.counts[i] < earlier || (v->stream.counts[i] - earlier) % v->phases[last].batch != 0)
            return SHOAL_ERROR_SIZE;
    return SHOAL_OK;
}

static enum shoal_status check_visit(const struct shoal *net, const struct shoal_visit *v)
{
    if (net->header.learning == 0) return SHOAL_ERROR_NOT_TRAINABLE;
    if (v->phase_count == 0 || v->start_count > net->state_count || v->end_count > net->state_count)
        return SHOAL_ERROR_SIZE;
    for (size_t i = 0; i < v->phase_count; i++) {
        const bool accumulates = (net->header.flags & ACCUMULATE) != 0;
        if (v->phases[i].batch == 0) return SHOAL_ERROR_SIZE;
        if (!accumulates && v->phases[i].batch != 1) return SHOAL_ERROR_NOT_TRAINABLE;
    }
    return check_stream(net, &v->stream) == SHOAL_OK ? check_counts(v) : SHOAL_ERROR_SIZE;
}

enum shoal_status SHOAL_NAME(cohort_visit)(const struct shoal_visit *visit,
                                           const void *image, size_t image_size,
                                           void *memory, size_t memory_size)
{
    struct shoal     *net;
    real             *targets;
    enum shoal_status status = open_group(&net, &targets, image, image_size, memory, memory_size);
    if (status == SHOAL_OK) status = check_visit(net, visit);
    if (status != SHOAL_OK) return status;
    for (size_t first = 0; first < visit->stream.devices; first += LANES)
        visit_group(net, visit, first, targets);
    return SHOAL_OK;
}

static enum shoal_status answer_sample(struct shoal *net, const struct shoal_answer *a, const struct group *g,
                                       size_t sample, real *targets)
{
    const struct tensor output = tensor_at(net, net->header.output);
    const real         *y = values_of(net, &output);
    const size_t        active = elements_of(net, &output);
    int32_t             status[LANES] = {0};
    feed(net, g, sample);
    SHOAL_NAME(run_forward)(net, false);
    for (size_t l = 0; a->y && l < g->count; l++) {
        float *to = a->y + ((g->first + l) * a->stream.samples + sample) * net->outputs;
        if (output.type == F32) {
            for (size_t i = 0; i < net->outputs; i++) to[i] = i < active ? lane(y[i], l) : 0.0f;
        } else {
            const uint8_t *from = bytes_of(net, &output, l);
            for (size_t i = 0; i < net->outputs; i++) to[i] = (float)as_integer(from[i], output.type);
        }
    }
    if (!a->loss) return SHOAL_OK;
    aim(net, g, sample, targets, status);
    for (size_t l = 0; l < g->count; l++)
        if (status[l] != SHOAL_OK) return SHOAL_ERROR_LABEL;
    const real loss = SHOAL_NAME(run_loss)(net, targets);
    for (size_t l = 0; l < g->count; l++)
        a->loss[(g->first + l) * a->stream.samples + sample] = lane(loss, l);
    return SHOAL_OK;
}

enum shoal_status SHOAL_NAME(cohort_answer)(const struct shoal_answer *answer,
                                            const void *image, size_t image_size,
                                            void *memory, size_t memory_size)
{
    struct shoal     *net;
    real             *targets;
    enum shoal_status status = open_group(&net, &targets, image, image_size, memory, memory_size);
    if (status != SHOAL_OK) return status;
    if (answer->loss && net->header.learning == 0) return SHOAL_ERROR_NOT_TRAINABLE;
    if (answer->start_count > net->state_count) return SHOAL_ERROR_SIZE;
    status = check_stream(net, &answer->stream);
    if (status != SHOAL_OK) return status;
    for (size_t first = 0; first < answer->stream.devices; first += LANES) {
        const struct group g = group_at(&answer->stream, first);
        start(net, &g, answer->start, answer->start_stride, answer->start_count);
        for (size_t sample = 0; status == SHOAL_OK && sample < g.longest; sample++)
            status = answer_sample(net, answer, &g, sample, targets);
    }
    return status;
}

#if SHOAL_WIDTH == 1

const char *shoal_cohort_isa(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw"))
        return "avx512";
    return __builtin_cpu_supports("avx2") ? "avx2" : "baseline";
#elif defined(__aarch64__)
    return "neon";
#else
    return "baseline";
#endif
}

enum shoal_status shoal_cohort_serial(const struct shoal_serial *serial,
                                      const void *image, size_t image_size,
                                      void *memory, size_t memory_size)
{
    struct shoal      *net;
    real              *targets;
    struct shoal_visit v = serial->visit;
    enum shoal_status  status = open_group(&net, &targets, image, image_size, memory, memory_size);
    if (status != SHOAL_OK) return status;
    const size_t n = net->header.parameters;
    v.start = serial->parameters;
    v.start_stride = 0;
    v.start_count = n;
    v.marks = NULL;
    v.end_count = 0;
    status = check_visit(net, &v);
    for (size_t device = 0; status == SHOAL_OK && device < v.stream.devices; device++) {
        visit_group(net, &v, device, targets);
        if (v.status[device] != SHOAL_OK) continue;
        const float rate = serial->server_rate[device];
        for (size_t i = 0; i < n; i++)
            serial->parameters[i] += rate * (net->state[i] - serial->parameters[i]);
    }
    return status;
}

#endif
