/* A mutator that knows the records of an image, so that the fuzzer gets past the checksum. */
#include "fuzz.h"

enum { LARGEST_IMAGE = 1 << 20, LARGEST_ARENA = 1 << 16 };

struct image {
    uint8_t *data;
    size_t   size, max_size;
    uint32_t random;
};

static uint32_t below(struct image *m, uint32_t n)
{
    m->random ^= m->random << 13;
    m->random ^= m->random >> 17;
    m->random ^= m->random << 5;
    return n > 0 ? m->random % n : 0;
}

static struct header header_of(const struct image *m)
{
    struct header h;
    memcpy(&h, m->data, sizeof h);
    return h;
}

static size_t tensors_at(uint32_t number) { return sizeof(struct header) + sizeof(struct tensor) * number; }

static size_t operations_at(const struct header *h, uint32_t number)
{
    return tensors_at(h->tensors) + sizeof(struct operation) * number;
}

static size_t runs_at(const struct header *h, uint32_t number)
{
    return operations_at(h, h->forward + h->learning) + sizeof(struct run) * number;
}

/* True where the counts of the header describe records that lie within the data. */
static bool is_readable(const struct image *m)
{
    if (m->size < sizeof(struct header)) return false;
    const struct header h = header_of(m);
    return h.tensors < 1000 && h.forward < 1000 && h.learning < 1000 && h.runs < 1000 && runs_at(&h, h.runs) <= m->size;
}

/* A number near the old one, small, or at an edge. */
static uint32_t number_near(struct image *m, uint32_t old)
{
    static const uint32_t edges[] = {0, 1, 0xFF, 0xFFFE, 0xFFFF, 0x10000, 1u << 28, (1u << 28) + 1, 1u << 31, 0xFFFFFFFF};
    switch (below(m, 8)) {
    case 0: return old + 1;
    case 1: return old - 1;
    case 2: return old * 2;
    case 3: return old / 2;
    case 4: return edges[below(m, sizeof edges / sizeof *edges)];
    default: return below(m, 1u << below(m, 7));
    }
}

static float float_near(struct image *m)
{
    static const float values[] = {0.0f, -0.0f, 1.0f, -1.0f, 1e-45f, 1e-38f, -1e-5f, 0.5f, 1e10f, 3e38f, -3e38f, 0.05f};
    return values[below(m, sizeof values / sizeof *values)];
}

/* Makes room for `count` bytes at `at`, or takes them out where count is negative. */
static bool shift(struct image *m, size_t at, long count)
{
    if (at > m->size) return false;
    if (count > 0) {
        if (m->size + (size_t)count > m->max_size) return false;
        memmove(m->data + at + count, m->data + at, m->size - at);
    } else {
        if (at + (size_t)-count > m->size) return false;
        memmove(m->data + at, m->data + at - count, m->size - at - (size_t)-count);
    }
    m->size = (size_t)((long)m->size + count);
    return true;
}

static void change_header(struct image *m)
{
    struct header h = header_of(m);
    switch (below(m, 13)) {
    case 0: h.flags = (uint16_t)below(m, 5); break;
    case 1: h.optimizer = (uint8_t)below(m, 5); break;
    case 2: h.input = (uint16_t)below(m, h.tensors + 1); break;
    case 3: h.output = (uint16_t)below(m, h.tensors + 1); break;
    case 4: h.active = (uint16_t)number_near(m, h.active); break;
    case 5: h.arena = number_near(m, h.arena); break;
    case 6: h.statistics = number_near(m, h.statistics); break;
    case 7: h.parameters = number_near(m, h.parameters); break;
    case 8: h.constants = number_near(m, h.constants); break;
    case 9: h.learning = number_near(m, h.learning); break;
    case 10: h.forward = number_near(m, h.forward); break;
    case 11: h.stream = number_near(m, h.stream); break;
    default: /* the border between answering and learning */
        if (h.forward > 0 && h.learning > 0) h.forward--, h.learning++;
        break;
    }
    memcpy(m->data, &h, sizeof h);
}

static void change_tensor(struct image *m)
{
    struct header h = header_of(m);
    struct tensor t, other;
    if (h.tensors == 0) return;
    const size_t at = tensors_at(below(m, h.tensors));
    memcpy(&t, m->data + at, sizeof t);
    memcpy(&other, m->data + tensors_at(below(m, h.tensors)), sizeof other);
    const uint32_t axis = below(m, 3);
    switch (below(m, 12)) {
    case 0: t.offset = number_near(m, t.offset); break;
    case 1: t.offset = other.offset; break;
    case 2: t.offset = other.offset + other.shape[0] * other.shape[1] * other.shape[2]; break;
    case 3:
    case 4: t.shape[axis] = number_near(m, t.shape[axis]); break;
    case 5: memcpy(t.shape, other.shape, sizeof t.shape); break;
    case 6: t.space = (uint8_t)below(m, 5); break;
    case 7: t.grows ^= 1; break;
    case 8: /* the same number of values in another shape */
        other = t;
        t.shape[axis] = other.shape[(axis + 1) % 3];
        t.shape[(axis + 1) % 3] = other.shape[axis];
        break;
    case 9: t.type = (uint8_t)below(m, 6); break;
    case 10: t.zero_point = (uint8_t)below(m, below(m, 2) ? 16 : 256); break;
    default: t = other; break;
    }
    memcpy(m->data + at, &t, sizeof t);
}

static uint8_t some_code(struct image *m)
{
    switch (below(m, 7)) {
    case 0: return (uint8_t)below(m, 256);
    case 6: return (uint8_t)(REQUANTIZE + below(m, 3) + (below(m, 2) ? QUANTIZED : 0));
    case 4: return (uint8_t)(QUANTIZED + DENSE + below(m, CLAMP));
    case 5: return (uint8_t)(QUANTIZED + BACKWARD + DENSE + below(m, CLAMP));
    case 1: return (uint8_t)(MSE + below(m, 3) + (below(m, 4) == 0 ? QUANTIZED : 0));
    case 2: return (uint8_t)(BACKWARD + DENSE + below(m, STANDARDIZE));
    default: return (uint8_t)(DENSE + below(m, STANDARDIZE));
    }
}

static void change_operation(struct image *m)
{
    const struct header h = header_of(m);
    struct operation    op, other;
    const uint32_t      count = h.forward + h.learning;
    if (count == 0) return;
    const size_t at = operations_at(&h, below(m, count));
    memcpy(&op, m->data + at, sizeof op);
    memcpy(&other, m->data + operations_at(&h, below(m, count)), sizeof other);
    uint16_t *parts[6] = {&op.in, &op.in2, &op.out, &op.weights, &op.bias, &op.aux};
    switch (below(m, 10)) {
    case 0: op.code = some_code(m); break;
    case 1: op.flags = (uint8_t)below(m, 5); break;
    case 2: op.layer = (uint8_t)below(m, 256); break;
    case 3: op.groups = (uint8_t)number_near(m, op.groups); break;
    case 4: op.value[below(m, 2)] = float_near(m); break;
    case 5: op.runs = (uint16_t)below(m, h.runs + 1), op.runs_first = (uint16_t)below(m, h.runs + 1); break;
    case 6: *parts[below(m, 6)] = (uint16_t)(below(m, 8) > 0 ? below(m, h.tensors) : NONE); break;
    case 7: *parts[below(m, 6)] = *parts[below(m, 6)]; break;
    case 8: op = other; break;
    default: *(&op.kernel[0] + below(m, 2)) = (uint8_t)below(m, 5); break;
    }
    memcpy(m->data + at, &op, sizeof op);
}

/* Another window for a forward operation and its way back, with the shapes that follow from it. */
static void change_window(struct image *m)
{
    const struct header h = header_of(m);
    struct operation    op;
    if (h.forward == 0) return;
    memcpy(&op, m->data + operations_at(&h, below(m, h.forward)), sizeof op);
    if (op.code < CONV2D || op.code > AVERAGE_POOL2D || op.in >= h.tensors || op.out >= h.tensors) return;
    struct tensor x, y, w;
    memcpy(&x, m->data + tensors_at(op.in), sizeof x);
    memcpy(&y, m->data + tensors_at(op.out), sizeof y);
    const uint8_t code = op.code;
    for (size_t axis = 0; axis < 2; axis++) {
        op.kernel[axis] = (uint8_t)(1 + below(m, 5));
        op.stride[axis] = (uint8_t)(1 + below(m, 4));
        op.padding[axis] = (uint8_t)below(m, op.kernel[axis]);
        op.padding[axis + 2] = (uint8_t)below(m, op.kernel[axis]);
        const uint32_t padded = x.shape[axis] + op.padding[axis] + op.padding[axis + 2];
        y.shape[axis] = padded < op.kernel[axis] ? 1 : (padded - op.kernel[axis]) / op.stride[axis] + 1;
    }
    memcpy(m->data + tensors_at(op.out), &y, sizeof y);
    if (op.weights < h.tensors) {
        memcpy(&w, m->data + tensors_at(op.weights), sizeof w);
        w.shape[code == CONV2D ? 0 : 1] = (uint32_t)op.kernel[0] * op.kernel[1];
        memcpy(m->data + tensors_at(op.weights), &w, sizeof w);
    }
    for (uint32_t i = 0; i < h.forward + h.learning; i++) {
        struct operation back;
        memcpy(&back, m->data + operations_at(&h, i), sizeof back);
        if (back.code % BACKWARD != code || back.weights != op.weights || back.layer != op.layer) continue;
        memcpy(back.kernel, op.kernel, sizeof back.kernel);
        memcpy(back.stride, op.stride, sizeof back.stride);
        memcpy(back.padding, op.padding, sizeof back.padding);
        memcpy(m->data + operations_at(&h, i), &back, sizeof back);
        if (back.code < BACKWARD || back.in2 >= h.tensors) continue;
        struct tensor dy;
        memcpy(&dy, m->data + tensors_at(back.in2), sizeof dy);
        memcpy(dy.shape, y.shape, sizeof dy.shape);
        memcpy(m->data + tensors_at(back.in2), &dy, sizeof dy);
    }
}

/* One record more or less. */
static void change_count(struct image *m)
{
    struct header  h = header_of(m);
    const uint32_t operations = h.forward + h.learning, at = below(m, operations + 1);
    const uint16_t run[2] = {(uint16_t)below(m, 16), (uint16_t)below(m, 8)};
    switch (below(m, 5)) {
    case 0: /* a tensor at the end, so that the numbers of the others stay */
        if (h.tensors == 0 || !shift(m, tensors_at(h.tensors), sizeof(struct tensor))) return;
        memcpy(m->data + tensors_at(h.tensors), m->data + tensors_at(below(m, h.tensors)), sizeof(struct tensor));
        h.tensors++;
        break;
    case 1:
        if (operations == 0 || !shift(m, operations_at(&h, at), sizeof(struct operation))) return;
        memmove(m->data + operations_at(&h, at), m->data + operations_at(&h, below(m, operations)),
                sizeof(struct operation));
        if (at <= h.forward) h.forward++;
        else h.learning++;
        break;
    case 2:
        if (at >= operations || !shift(m, operations_at(&h, at), -(long)sizeof(struct operation))) return;
        if (at < h.forward) h.forward--;
        else h.learning--;
        break;
    case 3:
        if (!shift(m, runs_at(&h, 0), sizeof run)) return;
        memcpy(m->data + runs_at(&h, 0), run, sizeof run);
        h.runs++;
        break;
    default:
        if (h.runs == 0) return;
        memcpy(m->data + runs_at(&h, below(m, h.runs)), run, sizeof run);
        break;
    }
    memcpy(m->data, &h, sizeof h);
}

static void change_value(struct image *m)
{
    const struct header h = header_of(m);
    const size_t        first = runs_at(&h, h.runs), count = (m->size - first) / 4;
    const float         value = float_near(m);
    if (count > 0) memcpy(m->data + first + 4 * below(m, (uint32_t)count), &value, 4);
}

static uint64_t end_of(const struct tensor *t)
{
    if (t->shape[0] > 4096 || t->shape[1] > 4096 || t->shape[2] > 4096) return 0;
    return t->offset + (uint64_t)t->shape[0] * t->shape[1] * t->shape[2];
}

/* Makes every space large enough for the tensors in it, as far as that is sensible. */
static void make_room(struct image *m)
{
    struct header  h = header_of(m);
    const uint32_t slots = (h.optimizer == ADAM ? 2u : h.optimizer == MOMENTUM ? 1u : 0u) + (h.flags & 1) + (h.flags >> 1 & 1);
    for (uint32_t i = 0; i < h.tensors; i++) {
        struct tensor t;
        memcpy(&t, m->data + tensors_at(i), sizeof t);
        const uint64_t end = end_of(&t), state = (uint64_t)h.parameters * (1 + slots);
        if (t.space == ARENA && end > h.arena && end <= LARGEST_ARENA) h.arena = (uint32_t)end;
        if (t.space == STATE && end > state + h.statistics && end - state <= LARGEST_ARENA)
            h.statistics = (uint32_t)(end - state);
        if (t.space == STREAM && end > h.stream && end <= LARGEST_ARENA) h.stream = (uint32_t)end;
        if (t.space == CONSTANTS && end > h.constants && 4 * end < m->max_size) h.constants = (uint32_t)end;
        if (i == h.output && !t.grows) h.active = (uint16_t)t.shape[2];
    }
    if ((h.learning == 0) != (h.optimizer == NO_OPTIMIZER)) h.optimizer = h.learning == 0 ? NO_OPTIMIZER : SGD;
    if (h.learning == 0) h.flags = 0;
    memcpy(m->data, &h, sizeof h);
}

/* Brings the data to the size that the counts of the header say; false where that is too large. */
static bool fit_size(struct image *m)
{
    const struct header h = header_of(m);
    const uint64_t      size = runs_at(&h, h.runs) + 4 * ((uint64_t)h.constants + h.parameters + h.quantized);
    if (size > m->max_size || size > LARGEST_IMAGE) return false;
    if (size > m->size) memset(m->data + m->size, 0, size - m->size);
    m->size = size;
    return true;
}

static void seal(struct image *m)
{
    struct header h = header_of(m);
    h.magic = 0x4C4F4853u;
    h.version = 2;
    h.size = (uint32_t)m->size;
    memcpy(m->data, &h, sizeof h);
    h.checksum = shoal_crc32(m->data + 16, m->size - 16);
    memcpy(m->data, &h, sizeof h);
}

size_t mutate_image(uint8_t *data, size_t size, size_t max_size, uint32_t seed)
{
    static void (*const changes[])(struct image *m) = {
        change_header, change_tensor, change_operation, change_operation, change_window, change_count, change_value,
    };
    struct image   m = {data, size, max_size, seed * 2654435761u | 1u};
    const uint32_t kind = below(&m, 32);
    if (kind == 0 || !is_readable(&m)) m.size = LLVMFuzzerMutate(data, size, max_size);
    for (uint32_t i = 0; kind > 0 && i <= kind % 4 && is_readable(&m); i++)
        changes[below(&m, sizeof changes / sizeof *changes)](&m);
    if (below(&m, 32) == 0 || !is_readable(&m)) return m.size;
    if (below(&m, 4) > 0) make_room(&m);
    if (fit_size(&m) || below(&m, 4) == 0) seal(&m);
    return m.size;
}
