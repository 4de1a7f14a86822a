/* Every refusal: that it happens, that it has a text, and that nothing that was learnt changes.
 *
 *   test_status FILE.vec...
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "vector.h"

enum { STATUSES = 17, STORE = 15 }; /* from STORE on: test_store */
static bool provoked[STATUSES];

static bool gives(enum shoal_status status, enum shoal_status expected)
{
    if (status <= 0 && status > -STATUSES) provoked[-status] = true;
    return status == expected;
}

#define CHECK_GIVES(call, status) CHECK(gives(call, status))

static enum shoal_status needed(const void *image, size_t size)
{
    size_t            memory_size = 12345;
    enum shoal_status status = shoal_memory_needed(&memory_size, image, size);
    CHECK((status == SHOAL_OK) == (memory_size > 0));
    return status;
}

static void check_texts(void)
{
    for (int i = 0; i < STATUSES; i++) {
        const char *text = shoal_status_text((enum shoal_status)-i);
        CHECK(text != NULL && strlen(text) > 1 && strcmp(text, "unknown status") != 0);
        for (int j = 0; j < i; j++) CHECK(strcmp(text, shoal_status_text((enum shoal_status)-j)) != 0);
    }
    CHECK(strcmp(shoal_status_text((enum shoal_status)-STATUSES), "unknown status") == 0);
}

/* Every byte of an image changed, and every shorter length. */
static void check_damage(const struct vector *v)
{
    unsigned char *image = copy_of(v->image, v->image_size);
    CHECK_GIVES(needed(image, v->image_size), SHOAL_OK);
    for (size_t i = 0; i < v->image_size; i++) {
        const unsigned char kept = image[i];
        image[i] ^= (unsigned char)(1 + i % 255);
        const enum shoal_status status = needed(image, v->image_size);
        CHECK(status != SHOAL_OK);
        if (i >= 16) CHECK_GIVES(status, SHOAL_ERROR_CHECKSUM);
        image[i] = kept;
    }
    for (size_t size = 0; size < v->image_size; size += size < 4096 ? 1 : 61) {
        unsigned char *shorter = copy_of(image, size);
        CHECK_GIVES(needed(shorter, size), SHOAL_ERROR_IMAGE);
        free(shorter);
    }
    const uint32_t other_order = 0x53484F4C;
    memcpy(image, &other_order, 4);
    CHECK_GIVES(needed(image, v->image_size), SHOAL_ERROR_VERSION);
    free(image);
}

/* A damaged header is refused even where its checksum was made right again. */
static void check_headers(const struct vector *v)
{
    static const size_t counts[] = {16, 20, 24, 28, 44}; /* each leads to another size */
    static const struct { size_t at; unsigned char byte; enum shoal_status status; } wrong[] = {
        {4, 3, SHOAL_ERROR_VERSION}, {6, 0xFC, SHOAL_ERROR_IMAGE}, {52, 4, SHOAL_ERROR_IMAGE},
        {53, 1, SHOAL_ERROR_IMAGE}, {56, 1, SHOAL_ERROR_IMAGE}, {63, 0x20, SHOAL_ERROR_IMAGE},
        {49, 0xFF, SHOAL_ERROR_TENSOR}, {51, 0xFF, SHOAL_ERROR_TENSOR}, {55, 0xFF, SHOAL_ERROR_TENSOR},
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (uint32_t value = 0x7FFFFFFF; value != 0; value = value == 0x7FFFFFFF ? UINT32_MAX : 0) {
            unsigned char *image = copy_of(v->image, v->image_size);
            memcpy(image + counts[i], &value, 4);
            seal(image, v->image_size);
            CHECK_GIVES(needed(image, v->image_size), SHOAL_ERROR_IMAGE);
            free(image);
        }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        unsigned char *image = copy_of(v->image, v->image_size);
        image[wrong[i].at] = wrong[i].byte;
        seal(image, v->image_size);
        CHECK_GIVES(needed(image, v->image_size), wrong[i].status);
        free(image);
    }
}

/* Records changed so that they do not fit. */
static void check_records(const struct vector *v)
{
    uint32_t tensors, operations[2];
    memcpy(&tensors, (const char *)v->image + 16, 4);
    memcpy(operations, (const char *)v->image + 20, 8);
    for (uint32_t i = 0; i < tensors; i++)
        for (size_t field = 0; field < 16; field += 4) {
            const uint32_t far = 0xFFFFFFF0;
            unsigned char *image = copy_of(v->image, v->image_size);
            memcpy(image + 64 + 20 * i + field, &far, 4);
            seal(image, v->image_size);
            CHECK_GIVES(needed(image, v->image_size), SHOAL_ERROR_TENSOR);
            free(image);
        }
    for (uint32_t i = 0; i < operations[0] + operations[1]; i++)
        for (size_t field = 0; field < 16; field++) {
            unsigned char *image = copy_of(v->image, v->image_size);
            unsigned char *at = image + 64 + 20 * tensors + 36 * i;
            if (field >= 4 && field % 2 == 0) at[field] = 0xFE, at[field + 1] = 0xFF;
            else if (field == 0) at[field] = 250;
            else if (field == 1) at[field] = 4;
            else { free(image); continue; }
            seal(image, v->image_size);
            CHECK_GIVES(needed(image, v->image_size), SHOAL_ERROR_OPERATION);
            free(image);
        }
}

static void check_memory(const struct vector *v)
{
    size_t size;
    struct shoal *net;
    CHECK(shoal_memory_needed(&size, v->image, v->image_size) == SHOAL_OK);
    char *memory = malloc(size), *smaller = malloc(size - 1);
    CHECK_GIVES(shoal_open(&net, v->image, v->image_size, smaller, size - 1), SHOAL_ERROR_MEMORY);
    CHECK(net == NULL);
    CHECK_GIVES(shoal_open(&net, v->image, v->image_size, memory + 1, size), SHOAL_ERROR_ALIGNMENT);
    CHECK(net == NULL);
    CHECK_GIVES(shoal_open(&net, v->image, v->image_size, memory, size), SHOAL_OK);
    CHECK(net != NULL);
    char *image = malloc(v->image_size + 1);
    memcpy(image + 1, v->image, v->image_size);
    CHECK_GIVES(needed(image + 1, v->image_size), SHOAL_ERROR_ALIGNMENT);
    CHECK_GIVES(shoal_open(&net, image + 1, v->image_size, memory, size), SHOAL_ERROR_ALIGNMENT);
    free(image);
    free(smaller);
    free(memory);
}

/* Runs `call` and checks its status and that the state kept its bits. */
#define CHECK_REFUSED(net, call, status)                    \
    do {                                                    \
        const struct golden before_ = golden_of(net);       \
        const struct shoal_info info_ = shoal_info(net);    \
        CHECK_GIVES(call, status);                          \
        CHECK(same_golden(before_, golden_of(net)));        \
        const struct shoal_info after_ = shoal_info(net);   \
        CHECK(memcmp(&info_, &after_, sizeof info_) == 0);  \
    } while (0)

static void check_samples(const struct vector *v)
{
    const float   bad[] = {NAN, INFINITY, -INFINITY};
    struct device d = open_vector(v);
    struct stream s = {1};
    float        *x = malloc(4 * ((size_t)v->inputs + 1)), *y = malloc(4 * ((size_t)v->outputs + 1)), loss = 77;
    float        *t = malloc(4 * ((size_t)v->targets + 1));
    next_sample(&s, v, 1, x, t);
    const size_t nx = v->inputs, nt = v->targets, ny = v->outputs;
    CHECK_REFUSED(d.net, shoal_predict(d.net, x, nx - 1, y, ny), SHOAL_ERROR_SIZE);
    CHECK_REFUSED(d.net, shoal_predict(d.net, x, nx + 1, y, ny), SHOAL_ERROR_SIZE);
    CHECK_REFUSED(d.net, shoal_predict(d.net, x, nx, y, ny - 1), SHOAL_ERROR_SIZE);
    CHECK_REFUSED(d.net, shoal_predict(d.net, x, nx, y, ny + 1), SHOAL_ERROR_SIZE);
    CHECK_REFUSED(d.net, shoal_observe(d.net, x, nx + 1), SHOAL_ERROR_SIZE);
    for (size_t i = 0; i < nx * 3; i++) {
        const float kept = x[i % nx];
        x[i % nx] = bad[i / nx];
        CHECK_REFUSED(d.net, shoal_predict(d.net, x, nx, y, ny), SHOAL_ERROR_NOT_FINITE);
        CHECK_REFUSED(d.net, shoal_observe(d.net, x, nx), SHOAL_ERROR_NOT_FINITE);
        if (nt > 0) {
            CHECK_REFUSED(d.net, shoal_learn(d.net, x, nx, t, nt, y, ny, &loss), SHOAL_ERROR_NOT_FINITE);
            CHECK_REFUSED(d.net, shoal_score(d.net, x, nx, t, nt, y, ny, &loss), SHOAL_ERROR_NOT_FINITE);
        }
        x[i % nx] = kept;
    }
    if (nt == 0) {
        CHECK_REFUSED(d.net, shoal_learn(d.net, x, nx, t, 1, y, ny, &loss), SHOAL_ERROR_NOT_TRAINABLE);
        CHECK_REFUSED(d.net, shoal_score(d.net, x, nx, t, 1, y, ny, &loss), SHOAL_ERROR_NOT_TRAINABLE);
        CHECK_REFUSED(d.net, shoal_apply(d.net), SHOAL_ERROR_NOT_TRAINABLE);
        CHECK_REFUSED(d.net, shoal_set_trainable(d.net, 0, false), SHOAL_ERROR_NOT_TRAINABLE);
    } else {
        CHECK_REFUSED(d.net, shoal_learn(d.net, x, nx, t, nt + 1, y, ny, &loss), SHOAL_ERROR_SIZE);
        CHECK_REFUSED(d.net, shoal_learn(d.net, x, nx, t, nt - 1, y, ny, &loss), SHOAL_ERROR_SIZE);
        CHECK_REFUSED(d.net, shoal_learn(d.net, x, nx - 1, t, nt, y, ny, &loss), SHOAL_ERROR_SIZE);
        CHECK_REFUSED(d.net, shoal_learn(d.net, x, nx, t, nt, y, ny + 1, &loss), SHOAL_ERROR_SIZE);
        CHECK_REFUSED(d.net, shoal_score(d.net, x, nx, t, nt, y, ny + 1, &loss), SHOAL_ERROR_SIZE);
        for (size_t i = 0; i < 3; i++) {
            const float kept = t[nt - 1];
            t[nt - 1] = bad[i];
            CHECK_REFUSED(d.net, shoal_learn(d.net, x, nx, t, nt, y, ny, &loss), SHOAL_ERROR_NOT_FINITE);
            t[nt - 1] = kept;
        }
    }
    CHECK(loss == 77);
    if (has_labels(v)) {
        const float labels[] = {-1, 1.5f, 0.5f, -0.25f, (float)shoal_info(d.net).active, 3e9f, 1e30f, 1e-30f};
        for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
            CHECK_REFUSED(d.net, shoal_learn(d.net, x, nx, labels + i, 1, y, ny, &loss), SHOAL_ERROR_LABEL);
            CHECK_REFUSED(d.net, shoal_score(d.net, x, nx, labels + i, 1, y, ny, &loss), SHOAL_ERROR_LABEL);
        }
    }
    if (shoal_info(d.net).active == v->outputs) CHECK_REFUSED(d.net, shoal_grow(d.net), SHOAL_ERROR_CAPACITY);
    free(x);
    free(y);
    free(t);
    close_device(&d);
}

/* A loss that overflows teaches nothing. */
static void check_overflow(const struct vector *v)
{
    struct device d = open_vector(v);
    if (v->targets > 1) {
        float *x = calloc(v->inputs, 4), *t = calloc(v->targets, 4), loss;
        t[0] = 3e38f;
        const uint32_t before = shoal_checksum(d.net);
        const enum shoal_status status = shoal_learn(d.net, x, v->inputs, t, v->targets, NULL, 0, &loss);
        if (status != SHOAL_OK) {
            CHECK_GIVES(status, SHOAL_ERROR_NOT_FINITE);
            CHECK(shoal_checksum(d.net) == before && shoal_info(d.net).steps == 0);
        }
        free(x);
        free(t);
    }
    close_device(&d);
}

static void check_optimizers(const struct vector *v)
{
    const float   zero_to_one[] = {-0.1f, 1.0f, 2.0f, NAN, INFINITY};
    struct device d = open_vector(v);
    for (size_t field = 0; field < 6; field++)
        for (size_t i = 0; i < 5; i++) {
            float                  values[6];
            struct shoal_optimizer o = {0.01f, 0.9f, 0.9f, 0.999f, 1e-7f, 0.0f};
            const bool             open_ended = field == 0 || field >= 4; /* rate, epsilon, proximal */
            if (open_ended && (i == 1 || i == 2)) continue;
            memcpy(values, &o, sizeof o);
            values[field] = zero_to_one[i];
            memcpy(&o, values, sizeof o);
            CHECK_REFUSED(d.net, shoal_set_optimizer(d.net, &o), SHOAL_ERROR_RATE);
        }
    const struct shoal_optimizer no_epsilon = {0.01f, 0.9f, 0.9f, 0.999f, 0.0f, 0.0f}, still = {0, 0, 0, 0, 1, 0};
    CHECK_REFUSED(d.net, shoal_set_optimizer(d.net, &no_epsilon), SHOAL_ERROR_RATE);
    CHECK_GIVES(shoal_set_optimizer(d.net, &still), SHOAL_OK);
    close_device(&d);
}

/* Every byte of a saved state changed, every shorter length, the state of another image. */
static void check_states(const struct vector *v, const struct vector *other)
{
    struct device  d = open_vector(v), stranger = open_vector(other);
    const size_t   size = shoal_state_size(d.net), other_size = shoal_state_size(stranger.net);
    unsigned char *saved = malloc(size), *theirs = malloc(other_size);
    CHECK(shoal_save(d.net, saved, size) == SHOAL_OK);
    CHECK(shoal_save(stranger.net, theirs, other_size) == SHOAL_OK);
    for (size_t i = 0; i < size; i += size < 8192 ? 1 : 7) {
        const struct golden before = golden_of(d.net);
        saved[i] ^= (unsigned char)(1 + i % 255);
        const enum shoal_status status = shoal_load(d.net, saved, size);
        CHECK(status == (i < 16 ? SHOAL_ERROR_STATE : SHOAL_ERROR_CHECKSUM));
        CHECK(i % 64 != 0 || same_golden(before, golden_of(d.net)));
        saved[i] ^= (unsigned char)(1 + i % 255);
    }
    for (size_t shorter = 0; shorter < size; shorter += 1 + shorter / 16) {
        unsigned char *cut = copy_of(saved, shorter);
        CHECK_GIVES(shoal_load(d.net, cut, shorter), SHOAL_ERROR_STATE);
        free(cut);
    }
    CHECK_REFUSED(d.net, shoal_load(d.net, theirs, other_size), SHOAL_ERROR_STATE);
    memcpy(theirs, saved, other_size < size ? other_size : size);
    CHECK_REFUSED(stranger.net, shoal_load(stranger.net, theirs, other_size), SHOAL_ERROR_STATE);
    CHECK_REFUSED(d.net, shoal_load(d.net, saved, size), SHOAL_OK);
    if (shoal_info(d.net).state > 0) {
        shoal_state(d.net)[shoal_info(d.net).state - 1] = NAN;
        CHECK_GIVES(shoal_save(d.net, saved, size), SHOAL_ERROR_NOT_FINITE);
    }
    free(saved);
    free(theirs);
    close_device(&d);
    close_device(&stranger);
}

int main(int argc, char **argv)
{
    check_texts();
    for (int i = 1; i < argc; i++) {
        struct vector v = read_vector(argv[i]), other = read_vector(argv[i == 1 ? argc - 1 : 1]);
        check_damage(&v);
        check_headers(&v);
        check_records(&v);
        check_memory(&v);
        check_samples(&v);
        check_overflow(&v);
        check_optimizers(&v);
        check_states(&v, &other);
        free_vector(&v);
        free_vector(&other);
    }
    for (int i = 0; i < STORE; i++)
        if (!CHECK(provoked[i])) fprintf(stderr, "  never: %s\n", shoal_status_text((enum shoal_status)-i));
    return check_end("status");
}
