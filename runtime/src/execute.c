/* Obeys a checked image: one switch, operation after operation. */
#include "network.h"

static void forward(struct shoal *net, const struct operation *op, bool observe)
{
    switch (op->code) {
    case DENSE: SHOAL_NAME(dense_forward)(net, op); break;
    case CONV2D: SHOAL_NAME(conv2d_forward)(net, op); break;
    case DEPTHWISE_CONV2D: SHOAL_NAME(depthwise_conv2d_forward)(net, op); break;
    case MAX_POOL2D: SHOAL_NAME(max_pool2d_forward)(net, op); break;
    case AVERAGE_POOL2D: SHOAL_NAME(average_pool2d_forward)(net, op); break;
    case ADD: SHOAL_NAME(add_forward)(net, op); break;
    case SOFTMAX: SHOAL_NAME(softmax_forward)(net, op); break;
    case GROUP_NORM: SHOAL_NAME(group_norm_forward)(net, op); break;
    case STANDARDIZE:
        if (observe) SHOAL_NAME(standardize_observe)(net, op);
        SHOAL_NAME(standardize_forward)(net, op);
        break;
    default: SHOAL_NAME(activation_forward)(net, op); break;
    }
}

static void backward(struct shoal *net, const struct operation *op)
{
    switch (op->code - BACKWARD) {
    case DENSE: SHOAL_NAME(dense_backward)(net, op); break;
    case CONV2D: SHOAL_NAME(conv2d_backward)(net, op); break;
    case DEPTHWISE_CONV2D: SHOAL_NAME(depthwise_conv2d_backward)(net, op); break;
    case MAX_POOL2D: SHOAL_NAME(max_pool2d_backward)(net, op); break;
    case AVERAGE_POOL2D: SHOAL_NAME(average_pool2d_backward)(net, op); break;
    case SOFTMAX: SHOAL_NAME(softmax_backward)(net, op); break;
    case GROUP_NORM: SHOAL_NAME(group_norm_backward)(net, op); break;
    case STANDARDIZE: SHOAL_NAME(standardize_backward)(net, op); break;
    case ADD - BACKWARD: SHOAL_NAME(add_forward)(net, op); break; /* two gradients of one value */
    default: SHOAL_NAME(activation_backward)(net, op); break;
    }
}

void SHOAL_NAME(run_forward)(struct shoal *net, bool observe)
{
    for (uint32_t i = 0; i < net->header.forward; i++) {
        const struct operation op = operation_at(net, i);
        forward(net, &op, observe);
    }
}

real SHOAL_NAME(run_loss)(struct shoal *net, const real *target)
{
    const struct operation op = operation_at(net, net->header.forward);
    return SHOAL_NAME(loss)(net, &op, target, false);
}

/* The learning part after its loss. Adam's powers count the step that is being taken. */
static void run_backward(struct shoal *net)
{
    const bool accumulate = (net->header.flags & ACCUMULATE) != 0;
    if (!accumulate) {
        net->beta1_power *= net->optimizer.beta1;
        net->beta2_power *= net->optimizer.beta2;
    }
    for (uint32_t i = 1; i < net->learning; i++) {
        const struct operation op = operation_at(net, net->header.forward + i);
        backward(net, &op);
    }
    if (accumulate) net->pending++;
    else net->steps++;
}

real SHOAL_NAME(run_learning)(struct shoal *net, const real *target)
{
    const struct operation op = operation_at(net, net->header.forward);
    const real             loss = SHOAL_NAME(loss)(net, &op, target, true);
#if SHOAL_WIDTH == 1
    if (loss - loss != 0.0f) return loss; /* infinite or not a number: learn nothing */
#endif
    run_backward(net);
    return loss;
}

/* Backward stops after the last operation that still updates something. */
void SHOAL_NAME(prune)(struct shoal *net)
{
    net->learning = 1;
    for (uint32_t i = 1; i < net->header.learning; i++) {
        const struct operation op = operation_at(net, net->header.forward + i);
        if (updates(net, &op, UPDATE_WEIGHTS) || updates(net, &op, UPDATE_BIAS))
            net->learning = i + 1;
    }
}
