"""Programs that train: GANs, cycles, and whatever a random number makes of a few networks."""

from random import Random

import netcfg
from netcfg.draw.training.model import training
from netcfg.draw.training.picture import training_picture
from netcfg.passes.plan import plan

DATA = "{Data}\n[synthetic_faces]\nimage_size = 16\n"
NETWORK = """{{{name}}}
[net]
channels = 3
height = 16
width = 16
[convolutional]
filters = 3
kernel_size = 1
stride = 1
activation = linear
"""
GAN = (
    DATA
    + NETWORK.format(name="Generator")
    + NETWORK.format(name="Critic")
    + """{Model}
[Generator]
name = made
from = image
[Critic]
name = of_made
from = made
[Critic]
name = of_real
from = image
{Loss}
[mean]
name = fake
input = of_made
[mean]
name = real
input = of_real
[gradient_penalty]
name = penalty
network = Critic
real = image
fake = made
{Optimizer}
[adam]
name = critic
networks = Critic
minimise = fake - real + 10 * penalty
[adam]
name = generator
networks = Generator
minimise = - fake
every = 5
"""
)
CYCLE = (
    DATA
    + NETWORK.format(name="There")
    + NETWORK.format(name="Back")
    + """{Model}
[There]
name = a
from = image
[Back]
name = b
from = a
[Back]
name = c
from = image
[There]
name = d
from = c
{Loss}
[l1]
name = one
input = b
target = image
[l1]
name = other
input = d
target = image
{Optimizer}
[adam]
networks = There, Back
minimise = one + other
"""
)


def planned(text, **variables):
    return plan(netcfg.load(text, **variables))


def shown(text, *phases):
    """The cards and flows of a program."""
    return training(planned(text), phases)


def picture(text):
    return training_picture(netcfg.load(text))


def random_program(seed):
    """Two to five networks that map an image to an image, used at random, with losses and a phase for each."""
    random = Random(seed)
    names = "ABCDE"[: random.randint(2, 5)]
    signals, model, losses = ["image"], "{Model}\n", "{Loss}\n"
    blocks = [
        *names,
        *random.choices([*names, "detach", "combine_add", "shuffle_batch"], k=random.randint(0, 8)),
    ]
    random.shuffle(blocks)
    for number, block in enumerate(blocks):
        first, second = (random.choice(signals) for _ in range(2))
        reads = f"combine_layers = {first}, {second}" if block == "combine_add" else f"from = {first}"
        model += f"[{block}]\nname = s{number}\n{reads}\n"
        signals.append(f"s{number}")
        if block in names:
            losses += f"[l1]\nname = l{number}\ninput = s{number}\ntarget = {random.choice(signals[:-1])}\n"
    phases = "{Optimizer}\n"
    for name in names:
        able = [f"l{number}" for number, block in enumerate(blocks) if block == name]
        terms = " + ".join(f"{random.choice([1, 3, 10])} * {loss}" for loss in able)
        phases += f"[adam]\nname = train_{name}\nnetworks = {name}\nminimise = {terms}\n"
        phases += f"every = {random.randint(1, 3)}\n"
    return DATA + "".join(NETWORK.format(name=name) for name in names) + model + losses + phases
