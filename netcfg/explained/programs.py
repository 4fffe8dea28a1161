"""NC2xx to NC4xx: how blocks are wired, what shapes they have, and what trains whom."""

from __future__ import annotations

from netcfg.explained.explanation import Explanation, by_command
from netcfg.explained.texts import ANY, CONVOLUTION, NET

DATA = "{Data}\n[synthetic_faces]\naction_units = 6, 12\nimage_size = 16\n"
SMALL = "{Net}\n[net]\nchannels = 3\nheight = 16\nwidth = 16\n[flatten]\n[connected]\noutput_features = 2\n"
LOSS = "{Loss}\n[bce_with_logits]\nname = detection\ninput = Net\ntarget = labels\n"
OPTIMIZER = "{Optimizer}\n[adam]\nnetworks = Net\nminimise = detection\n"
TRAINED = DATA + SMALL + LOSS + OPTIMIZER
FEW = DATA + "subjects = 6\nclips = 1\nclip_length = 4\n" + SMALL
ONE_EPOCH = "{General}\n[training]\nmax_epochs = 1\nbatch_size = 4\n"
TINY = FEW + LOSS + OPTIMIZER
"""What trains in a moment."""
SECOND = SMALL.replace("Net", "Other")
TWO = DATA + SMALL + SECOND
BOTH = (
    "{Loss}\n[bce_with_logits]\nname = detection\ninput = Net\ntarget = labels\n"
    "[bce_with_logits]\nname = other\ninput = Other\ntarget = labels\n"
)
MODEL = "{Model}\n[Net]\n[Other]\nfrom = image\n"

PROGRAMS: dict[str, Explanation] = {
    "NC201": Explanation(
        "Name a block or an input that is there.",
        ANY,
        "[identity]\nname = stem\n[flatten]\nfrom = stam",
        "[identity]\nname = stem\n[flatten]\nfrom = stem",
    ),
    "NC202": Explanation(
        "Read only what stands above.",
        ANY,
        "[identity]\nfrom = late\n[flatten]\nname = late",
        "[identity]\nname = early\n[flatten]\nfrom = early",
    ),
    "NC203": Explanation(
        "`-1` is the block before.", ANY, "[flatten]\nname = a\nfrom = a", "[flatten]\nname = a\nfrom = -1"
    ),
    "NC204": Explanation(
        "Name a port of the block's page, or the block alone.",
        ANY,
        "[identity]\nname = a\n[flatten]\nfrom = a.first",
        "[identity]\nname = a\n[flatten]\nfrom = a",
    ),
    "NC205": Explanation(
        "Name as many blocks as it takes.",
        ANY,
        "[identity]\nname = a\n[flatten]\nfrom = a, input",
        "[identity]\nname = a\n[flatten]\nfrom = a",
    ),
    "NC206": Explanation(
        "Call the input as a field of the data, or wire it in {Model}.",
        DATA + "{Net}\n[net]\n[input]\nname = @\nchannels = 3\nheight = "
        "16\nwidth = 16\n[flatten]\n[connected]\noutput_features = 2\n" + LOSS + OPTIMIZER,
        "picture",
        "image",
    ),
    "NC207": Explanation(
        "Leave the field out, or read it.",
        TRAINED.replace("{Net}\n", "[noise]\n@{Net}\n", 1).replace("[noise]\n", "[horizontal_flip]\n"),
        "only = landmarks\n",
        "only = image\n",
    ),
    "NC208": Explanation("Add a block after [net].", ANY, "", "[flatten]"),
    "NC209": Explanation(
        "Take the block out, or read it.",
        NET + "[identity]\nname = spare\n[flatten]\nfrom = @\n",
        "input",
        "spare",
    ),
    "NC210": Explanation(
        "Put the block into a network.",
        TRAINED + "{Generation}\n[random]\nname = start\nshape = 3, 16, 16\n@[Net]\nname = made\n",
        "[convolutional]\nfilters = 3\nkernel_size = 1\n",
        "",
    ),
    "NC211": Explanation(
        "Use the network in {Model}, or take it out.",
        DATA + SMALL + "@{Model}\n[Net]\n" + LOSS + OPTIMIZER,
        SECOND,
        "",
    ),
    "NC212": Explanation(
        "Write {Model} with a block for each network.",
        TWO
        + "@"
        + BOTH
        + OPTIMIZER.replace("= Net", "= Net, Other").replace("detection", "detection + other"),
        "",
        MODEL,
    ),
    "NC213": Explanation(
        "Share with a block of the same type and sizes.",
        NET + "[convolutional]\nname = a\nfilters = 3\nkernel_size = 3\npad = 1\n"
        "[convolutional]\nfilters = @\nkernel_size = 3\npad = 1\nshared_with = a\n",
        "8",
        "3",
    ),
    "NC301": Explanation(
        "Make the sizes agree; the finding shows how each came about.",
        NET
        + "[convolutional]\nname = a\nfilters = @\nkernel_size = 1\n[combine_add]\ncombine_layers = a, input\n",
        "8",
        "3",
    ),
    "NC302": Explanation(
        "A smaller window, some padding, or a larger input.",
        CONVOLUTION,
        "kernel_size = 33",
        "kernel_size = 31",
    ),
    "NC303": Explanation(
        "Give the network's input a height and a width.",
        "{Net}\n[net]\nchannels = 3\n@[flatten]\n[connected]\noutput_features = 2\n",
        "",
        "height = 32\nwidth = 32\n",
    ),
    "NC304": Explanation(
        "Smaller sizes or fewer repeats; the limit is stated.",
        NET + "[flatten]\n[connected]\noutput_features = 1048576\n[connected]\noutput_features = @\n",
        "1048576",
        "10",
    ),
    "NC305": Explanation(
        "Give the block what it takes, or another block that takes what it is given.",
        "{Net}\n[net]\n[input]\nname = rows\nshape = 16, 32, 32\naxes = @\n"
        "[convolutional]\nfilters = 4\nkernel_size = 3\n",
        "frames, tokens, features",
        "channels, height, width",
    ),
    "NC401": Explanation(
        "Name a signal, loss or network that the file declares.",
        TRAINED.replace("input = Net", "input = @"),
        "Nett",
        "Net",
    ),
    "NC402": Explanation(
        "Give the network as many outputs as the target has entries.",
        TRAINED.replace("output_features = 2", "output_features = @"),
        "3",
        "2",
    ),
    "NC403": Explanation(
        "Add what is missing: a source, a loss or an optimizer.",
        "{Data}\n@" + SMALL + LOSS + OPTIMIZER,
        "",
        DATA.removeprefix("{Data}\n"),
    ),
    "NC404": Explanation(
        "Train with what the pages state; the finding says what to write instead.",
        TINY + "@",
        "".join(
            f"[again]\nname = n{number}\nof = adam\nminimise = detection\nevery = {number}\n"
            for number in range(2, 13)
        ),
        "".join(
            f"[again]\nname = n{number}\nof = adam\nminimise = detection\nevery = {number}\n"
            for number in range(2, 4)
        ),
        command="netcfg plan net.cfg",
    ),
    "NC405": Explanation(
        "Lower the learning rate, clip the gradient, or look for "
        "bad samples; the finding names the loss and its batch.",
        FEW
        + LOSS.replace("bce_with_logits", "mse")
        + "{Optimizer}\n[sgd]\nnetworks = Net\nminimise = detection\nlearning_rate = @\n"
        + ONE_EPOCH,
        "1e30",
        "1e-3",
        command="netcfg train net.cfg",
    ),
    "NC406": by_command(
        "Resume with the run's own folder; to change the network, start a new run from its weights.",
        "netcfg train --resume RUN --epochs 5 --set @",
        "filters=9",
        "rate=1e-4",
        "`RUN` is a run of `net.cfg`, which has `learning_rate = $rate`, and `filters = $filters` in its network.",
    ),
    "NC407": Explanation(
        "Minimise a loss that reads the network, or train the one it reads.",
        TWO + MODEL + BOTH + "{Optimizer}\n[adam]\nname = one\nnetworks = Net\nminimise "
        "= @\n[adam]\nname = two\nnetworks = Other\nminimise = other\n",
        "detection + other",
        "detection",
    ),
    "NC408": Explanation(
        "Unfreeze the network, or take it out of `networks`.",
        TRAINED.replace("width = 16\n", "width = 16\n@"),
        "freeze = True\n",
        "",
    ),
    "NC409": Explanation(
        "Name each network in one optimizer.",
        TRAINED + "@",
        "[sgd]\nnetworks = Net\nminimise = detection\n",
        "",
    ),
    "NC410": Explanation(
        "Name the network in an optimizer, or freeze it.",
        DATA
        + SMALL
        + SECOND.replace("width = 16\n", "width = 16\n@")
        + MODEL
        + LOSS
        + OPTIMIZER
        + "{Metric}\n[f1]\ninput = Other\ntarget = labels\n",
        "",
        "freeze = True\n",
    ),
    "NC415": Explanation(
        "Let a network follow one of the same blocks, which an optimizer trains.",
        TRAINED + "{Slow}\n[net]\nsame_as = Net\n"
        "{Model}\n[Net]\n[Slow]\nfrom = image\n{Metric}\n[f1]\ninput = Slow\ntarget = labels\n"
        "{Optimizer}\n[moving_average]\nnetworks = Slow\nmomentum = 0.99\nof = @\n",
        "Slow",
        "Net",
    ),
    "NC416": Explanation(
        "Name the schedule where a number may change, and let numbers change before the last epoch.",
        TRAINED.replace("minimise = detection", "minimise = @detection")
        + "{Optimizer}\n[schedule]\nname = beta\n",
        "",
        "beta * ",
    ),
    "NC420": Explanation(
        "Leave `once` out, or stop the gradient by [detach].",
        DATA
        + SMALL
        + SECOND.replace("channels = 3\nheight = 16\nwidth = 16\n", "[input]\nname = x\nfeatures = 2\n")
        + SMALL.replace("{Net}", "{Third}")
        + "{Model}\n[Third]\nname = below\nfrom = image\n[Net]\nname = seen\nfrom = image\n"
        "[combine_add]\nname = both\ncombine_layers = below, seen\n@[Other]\nfrom = both\n"
        "{Loss}\n[bce_with_logits]\nname = detection\ninput = Other\ntarget = labels\n"
        "{Optimizer}\n[adam]\nname = one\nnetworks = Third, Other\nminimise = detection\n"
        "[adam]\nname = two\nnetworks = Net\nminimise = detection\n",
        "once = True\n",
        "",
    ),
    "NC421": Explanation(
        "Differentiate a signal by one that it is computed from, with no [detach] between.",
        DATA + SMALL + "{Model}\n[Net]\nname = seen\nfrom = image\n[detach]\nname = still\n"
        "[gradient]\nname = slope\nof = @\nby = image\n[formula]\nname = steep\nvalue = sum(slope ** 2)\n"
        "{Loss}\n[bce_with_logits]\nname = detection\ninput = seen\ntarget = labels\n[mean]\nname = r1\ninput = steep\n"
        "{Optimizer}\n[adam]\nnetworks = Net\nminimise = detection + r1\n"
        "{Metric}\n[f1]\ninput = still\ntarget = labels\n",
        "still",
        "seen",
    ),
    "NC411": Explanation(
        "A smaller `every`, or smaller batches, so that an epoch has enough of them; an earlier `from_epoch`.",
        TRAINED + "from_epoch = @\n{General}\n[training]\nmax_epochs = 10\n",
        "20",
        "5",
    ),
    "NC412": Explanation(
        "Minimise the loss, or take it out.",
        TRAINED.replace(
            "{Optimizer}", "[bce_with_logits]\nname = spare\ninput = Net\ntarget = labels\n{Optimizer}"
        ).replace("minimise = detection", "minimise = detection@"),
        "",
        " + spare",
    ),
    "NC414": Explanation(
        "Give the metric what it needs: a target, more samples, numbers that are finite.",
        TINY + "" + ONE_EPOCH + "{Metric}\n[f1]\ninput = Net\ntarget = labels\n@",
        "group = clip\n",
        "",
        command="netcfg train net.cfg",
    ),
}
