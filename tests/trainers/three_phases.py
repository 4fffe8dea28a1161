"""A program of five small networks and three phases, two critics among them; everything that resuming must keep."""

from tiny import tiny_program

TEXT = """
{Data}
[synthetic_faces]
image_size = 16
action_units = 6, 12
[normalise]
mean = 0.5

{Encoder}
[net]
channels = 3
height = 16
width = 16
[convolutional]
name = stem
filters = 4
kernel_size = 3
stride = 2
pad = 1
batch_normalise = $norm
activation = leaky_relu
[flatten]
[dropout]
probability = $dropout
[connected]
name = code
output_features = 6

{Predictor}
[net]
[input]
name = code
features = 6
[connected]
output_features = 2

{Decoder}
[net]
[input]
name = code
features = 6
[connected]
output_features = 768

{Critic}
[net]
[input]
name = code
features = 6
[connected]
name = hidden
output_features = 8
activation = leaky_relu
[connected]
output_features = 1

{Judge}
[net]
[input]
name = picture
features = 768
[connected]
output_features = 8
activation = leaky_relu
[connected]
output_features = 1

{Model}
[flatten]
name = pixels
from = image
[Encoder]
name = z
from = image
[shuffle_batch]
name = shuffled
from = z
mode = $shuffle
[Predictor]
name = units
from = z
[Decoder]
name = picture
from = z
[Critic]
name = code_score
from = z
[Critic]
name = shuffled_score
from = shuffled
[Judge]
name = pixels_score
from = pixels
[Judge]
name = picture_score
from = picture

{Loss}
[bce_with_logits]
name = detection
input = units
target = labels
[l1]
name = reconstruction
input = picture
target = pixels
[mean]
name = critic_real
input = shuffled_score
[mean]
name = critic_fake
input = code_score
[mean]
name = judge_real
input = pixels_score
[mean]
name = judge_fake
input = picture_score
[gradient_penalty]
name = critic_gp
network = Critic
real = shuffled
fake = z
[gradient_penalty]
name = judge_gp
network = Judge
real = pixels
fake = picture

{Optimizer}
[adam]
name = critic
networks = Critic
minimise = critic_fake - critic_real + 10 * critic_gp
accumulate = $accumulate
[rmsprop]
name = judge
networks = Judge
minimise = judge_fake - judge_real + 10 * judge_gp
momentum = 0.5
learning_rate = 1e-3
[sgd]
name = main
networks = Encoder, Predictor, Decoder
minimise = detection + 3 * reconstruction - 0.1 * critic_fake - 0.1 * judge_fake
every = 2
momentum = 0.9
learning_rate = 0.05
clip_grad_norm = 0.5
schedule = plateau
plateau_patience = 0

{Metric}
[f1]
input = units
target = labels

{General}
[variables]
dropout = 0.2
shuffle = random
norm = 1
accumulate = 2
batch_size = 4
ema = 0.9
epochs = 3
precision = f32
compile = False
[training]
batch_size = $batch_size
max_epochs = $epochs
ema = $ema
precision = $precision
compile = $compile
workers = 0
"""


def three_phases(**variables):
    """The program, on data that are made of arithmetic."""
    return tiny_program(TEXT, **variables)
