/* Shoal: neural networks that keep learning on a microcontroller.
 *
 * A network arrives as an *image*: one block of bytes, planned on the host, that says
 * what to compute and where every value lives (IMAGE.md). This runtime checks the image
 * once and then obeys it. It never allocates, recurses or keeps global state; all memory
 * is the caller's, of a size known beforehand.
 *
 *     static const uint32_t image[] = { ... };          // written by the Python side
 *     static uint32_t       memory[NETWORK_MEMORY / 4]; // shoal_memory_needed() bytes
 *
 *     struct shoal *net;
 *     float y[3], loss;
 *     if (shoal_open(&net, image, sizeof image, memory, sizeof memory)) { ... }
 *     shoal_predict(net, x, 40, y, 3);
 *     shoal_learn(net, x, 40, label, 1, NULL, 0, &loss);   // one step of gradient descent
 *
 * The same bits everywhere: every sum is taken in index order in IEEE-754 binary32, without
 * contraction, with this runtime's own exp, log, tanh and sigmoid. Compile with
 * -ffp-contract=off. Little-endian machines only.
 *
 * Thread safety: one network, one thread; different networks are independent.
 */
#ifndef SHOAL_H
#define SHOAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(SHOAL_SHARED) && defined(__GNUC__)
#define SHOAL_API __attribute__((visibility("default")))
#else
#define SHOAL_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* What a call can answer: 0, or a negative number that names what was refused. A refused
 * call changes no parameter. */
#define SHOAL_STATUSES(X)                                                                        \
    X(OK, 0, "ok")                                                                               \
    X(ERROR_ALIGNMENT, -1, "image and memory must start at a multiple of their alignment")       \
    X(ERROR_IMAGE, -2, "not a Shoal image, or cut short")                                        \
    X(ERROR_VERSION, -3, "an image of another format version or byte order")                     \
    X(ERROR_CHECKSUM, -4, "the image or state is damaged: its checksum is wrong")                \
    X(ERROR_TENSOR, -5, "a tensor of the image lies outside its memory or has no elements")      \
    X(ERROR_OPERATION, -6, "an operation of the image is unknown or its parts do not fit")       \
    X(ERROR_MEMORY, -7, "the memory given is smaller than shoal_memory_needed() says")           \
    X(ERROR_SIZE, -8, "an array argument has another length than the network expects")           \
    X(ERROR_NOT_FINITE, -9, "a value is infinite or not a number; nothing was learnt from it")   \
    X(ERROR_LABEL, -10, "a class number is not a whole number below the number of classes")      \
    X(ERROR_NOT_TRAINABLE, -11, "the image was planned without learning, or for the other mode") \
    X(ERROR_CAPACITY, -12, "no output is left in reserve for another class")                     \
    X(ERROR_STATE, -13, "a saved state of another image or length")                              \
    X(ERROR_RATE, -14, "an optimizer setting is negative, not finite or outside its range")      \
    X(ERROR_EMPTY, -15, "nothing was saved yet")                                                 \
    X(ERROR_STORAGE, -16, "the storage refused, or lost what was written")

enum shoal_status {
#define SHOAL_STATUS_(name, value, text) SHOAL_##name = value,
    SHOAL_STATUSES(SHOAL_STATUS_)
#undef SHOAL_STATUS_
};

/* The text above, "unknown status" for any other number. Never NULL. */
SHOAL_API const char *shoal_status_text(enum shoal_status status);

/* How the next steps are taken. A network opens with rate 0.01 and the usual defaults below. */
struct shoal_optimizer {
    float rate;     /* learning rate, >= 0 */
    float momentum; /* share of the last step that is kept, 0 <= momentum < 1; 0.9 */
    float beta1;    /* Adam: decay of the mean gradient, 0 <= beta1 < 1; 0.9 */
    float beta2;    /* Adam: decay of the mean squared gradient, 0 <= beta2 < 1; 0.999 */
    float epsilon;  /* Adam: added to the root, > 0; 1e-7 */
    float proximal; /* pull towards the anchor (FedProx's mu), >= 0; 0 */
};

/* What one value of a sample or an answer is. */
enum shoal_type { SHOAL_FLOAT32, SHOAL_INT8, SHOAL_UINT8, SHOAL_INT32, SHOAL_INT16 };

/* Numbers of one open network: values, where nothing else is said. */
struct shoal_info {
    uint32_t inputs;     /* of one sample */
    uint32_t outputs;    /* capacity: classes in use and in reserve */
    uint32_t active;     /* outputs in use */
    uint32_t targets;    /* 1 (a class number) for cross-entropy, else the number of outputs */
    uint32_t parameters; /* trainable values; they lead the state */
    uint32_t state;      /* everything that learning changes, in words of four bytes */
    uint32_t arena;      /* working memory for one sample, likewise */
    uint32_t layers;     /* one more than the highest layer number in the image */
    uint32_t steps;      /* updates taken so far */
    uint32_t pending;    /* gradients added since the last update */
    uint32_t input_type, output_type; /* enum shoal_type */
    uint32_t quantized;  /* words of parameters that learn as integers; they end the state */
};

struct shoal; /* an open network: lives at the start of the caller's memory */

/* --- Open ----------------------------------------------------------------------------- */

/* The exact number of bytes that shoal_open() needs for this image. Checks the whole image:
 * whatever the bytes are, the answer is a status, in time proportional to image_size. */
SHOAL_API enum shoal_status shoal_memory_needed(size_t *memory_size,
                                                const void *image, size_t image_size);

/* Checks the image and opens it in `memory`, with the initial parameters that the image
 * carries. `image` is aligned to 4 bytes, `memory` as a pointer is. `image` is used in place: keep it, in flash or RAM,
 * unchanged. To close, forget `*net`. */
SHOAL_API enum shoal_status shoal_open(struct shoal **net,
                                       const void *image, size_t image_size,
                                       void *memory, size_t memory_size);

SHOAL_API struct shoal_info shoal_info(const struct shoal *net);

/* --- Use ------------------------------------------------------------------------------ */

/* A sample x and an answer y are x_count and y_count values of the types that shoal_info() names:
 * float, int8_t, uint8_t, int16_t or int32_t. A sample may be written where the network reads it, which saves a copy:
 * what this returns is then given as x. Every call writes over it. */
SHOAL_API void *shoal_input(struct shoal *net);

/* One sample x -> y. Changes nothing that learns. Outputs in reserve are 0.
 * A network with recurrent layers remembers earlier samples: every call that takes a sample moves it on. */
SHOAL_API enum shoal_status shoal_predict(struct shoal *net,
                                          const void *x, size_t x_count,
                                          void *y, size_t y_count);

/* The loss of one sample, nothing learnt. `y` may be NULL with y_count 0. */
SHOAL_API enum shoal_status shoal_score(struct shoal *net,
                                        const void *x, size_t x_count,
                                        const float *target, size_t target_count,
                                        void *y, size_t y_count, float *loss);

/* Forgets all earlier samples, as after opening. Nothing that was learnt changes; saving and loading neither
 * keep nor touch what a network remembers. */
SHOAL_API void shoal_reset(struct shoal *net);

/* --- Learn ---------------------------------------------------------------------------- */

/* One step: predict, then update from this sample alone. `loss`, and `y` unless it is NULL,
 * are those before the update. Running statistics see the sample first, and keep it even where
 * its loss is then refused as not finite; nothing else changes in that case.
 * An image planned for accumulation adds the gradient instead; shoal_apply() then takes
 * the step with the mean of all gradients added since. */
SHOAL_API enum shoal_status shoal_learn(struct shoal *net,
                                        const void *x, size_t x_count,
                                        const float *target, size_t target_count,
                                        void *y, size_t y_count, float *loss);
SHOAL_API enum shoal_status shoal_apply(struct shoal *net);

/* Running statistics see one sample; nothing else is learnt. For samples without a label. */
SHOAL_API enum shoal_status shoal_observe(struct shoal *net, const void *x, size_t x_count);

/* Takes one more class into use. Its weights are those reserved for it in the image. */
SHOAL_API enum shoal_status shoal_grow(struct shoal *net);

SHOAL_API enum shoal_status shoal_set_optimizer(struct shoal *net,
                                                const struct shoal_optimizer *optimizer);

/* Freezes or thaws one layer until the network is opened again. Only layers that the image
 * can train thaw. Backward stops at the last layer that still learns. */
SHOAL_API enum shoal_status shoal_set_trainable(struct shoal *net, uint32_t layer, bool trainable);

/* Remembers the present parameters as the anchor that `proximal` pulls towards; at first they are
 * the initial ones. */
SHOAL_API enum shoal_status shoal_set_anchor(struct shoal *net);

/* --- State ---------------------------------------------------------------------------- */

/* Everything that learning changed: parameters, optimizer, statistics, counters. Exact.
 * Saving refuses a state with a value that is not finite, so a saved state is a good one. */
SHOAL_API size_t            shoal_state_size(const struct shoal *net);
SHOAL_API enum shoal_status shoal_save(const struct shoal *net, void *bytes, size_t size);
SHOAL_API enum shoal_status shoal_load(struct shoal *net, const void *bytes, size_t size);

/* The same bytes without a copy of them all. Saving puts them in order, in a few pieces. Loading gets
 * any of them, twice: to check all before the first is used, then into place. A callback answers
 * whether it could. Where it could not, or gives others the second time, the answer is
 * SHOAL_ERROR_STORAGE, and the network holds no good state until a load succeeds. */
SHOAL_API enum shoal_status shoal_save_to(const struct shoal *net,
                                          bool (*put)(void *context, const void *bytes, size_t size),
                                          void *context);
SHOAL_API enum shoal_status shoal_load_from(struct shoal *net,
                                            bool (*get)(void *context, size_t at, void *bytes, size_t size),
                                            void *context);

/* The state in place, shoal_info().state floats, parameters first in the image's order. */
SHOAL_API float *shoal_state(struct shoal *net);

/* CRC-32 (IEEE 802.3) of the parameters: equal sums mean equal bits. */
SHOAL_API uint32_t shoal_checksum(const struct shoal *net);

#ifdef __cplusplus
}
#endif
#endif
