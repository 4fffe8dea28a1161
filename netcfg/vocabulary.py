"""Words of other frameworks, and what they are called here. The names of their classes stand in `counterparts`.

A word that stands here is no slip of the pen: where its meaning has a name, that is suggested, and where it has none, a
sentence says what there is instead; never a name that only looks alike.
"""

from __future__ import annotations

from collections.abc import Collection, Container
from functools import cache
from typing import Literal, NamedTuple

from netcfg.counterparts import COUNTERPARTS
from netcfg.spelling import did_you_mean

Kind = Literal["network", "data", "loss", "optimizer", "metric", "general", "option", "activation"]
"""What a word would be: a section of a group, an option, or a function of the option `activation`."""

_GROUPS: tuple[Kind, ...] = ("network", "data", "loss", "optimizer", "metric", "general")

OWN_BLOCK = (
    'a block of one\'s own is a class in a Python file, `class Mine(Block, name="mine")`, that the file includes: '
    "`{include mine.py}`; `netcfg blocks` lists what there is"
)
OWN_OPTIMIZER = (
    "netcfg has the optimizers of PyTorch; another one is a class in a Python file that the file includes, "
    '`class Mine(Optimizer, name="mine")`'
)
_IN_ACTIVATION = "write `[activation]` with `activation = {}`"


class Foreign(NamedTuple):
    """Words for one thing. `here` are names for it, the first that is known counts; `otherwise` is said without one."""

    kind: Kind
    words: str
    here: tuple[str, ...] = ()
    otherwise: str = ""


_TABLE = (
    Foreign(
        "network",
        "time_distributed timedistributed vmap",
        otherwise="write `over = frames` (or `tokens`) on the block: it is computed for each of them",
    ),
    Foreign("network", "conv convolution convolution2d conv2dlayer", ("convolutional",)),
    Foreign(
        "network",
        "deconv deconv2d deconvolution conv_transpose transposed_conv transposed_convolution upconv",
        ("deconvolutional",),
    ),
    Foreign("network", "fc fully_connected inner_product affine matmul", ("connected",)),
    Foreign("network", "bn batchnorm batchnormalise batch_normalise", ("batch_norm",)),
    Foreign("network", "ln", ("layer_norm",)),
    Foreign("network", "instancenorm", ("instance_norm",)),
    Foreign("network", "maxpooling max_pooling", ("maxpool",)),
    Foreign("network", "averagepool averagepooling mean_pool", ("avgpool",)),
    Foreign(
        "network",
        "gap globalaveragepooling global_average_pooling global_pool globalavgpool2d",
        ("global_avgpool",),
    ),
    Foreign("network", "upsampling upsample2d resize unpool", ("upsample",)),
    Foreign("network", "depth_to_space", ("pixel_shuffle",)),
    Foreign("network", "view rearrange", ("reshape",)),
    Foreign("network", "concat merge join hstack", ("combine_concat",)),
    Foreign("network", "sum eltwise shortcut residual skip skip_connection plus", ("combine_add",)),
    Foreign("network", "product times gate", ("combine_multiply",)),
    Foreign("network", "slice split chunk", ("select_subset",)),
    Foreign("network", "no_grad", ("detach",)),
    Foreign("network", "noop pass passthrough", ("identity",)),
    Foreign(
        "network",
        "TransformerEncoderLayer transformer_encoder_layer TransformerBlock",
        ("transformer_layer",),
        "[transformer_layer] is PyTorch's, behind `{include blocks/transformer.cfg}`",
    ),
    Foreign(
        "network",
        "TransformerDecoderLayer",
        ("transformer_decoder_layer",),
        "[transformer_decoder_layer] is PyTorch's, behind `{include blocks/transformer.cfg}`",
    ),
    Foreign("network", "spatialdropout channel_dropout", ("drop_channels",)),
    Foreign("network", "droppath drop_path", ("stochastic_depth",)),
    Foreign("network", "log_softmax logsoftmax softmax2d", ("softmax",)),
    Foreign("network", "padding padding2d zeropad zeropadding reflectionpad reflection_pad", ("pad",)),
    Foreign("network", "bilstm recurrent", ("lstm",)),
    Foreign("network", "attention transformer transformer_layer", ("self_attention",)),
    Foreign("network", "lookup", ("embedding",)),
    Foreign("network", "vggface vgg_face", ("vgg-face",)),
    Foreign(
        "network",
        "vgg vgg16 vgg_16 vgg19",
        (),
        "VGG-16 is two templates: `{include blocks/vgg16.cfg}`, then [vgg16_features] and [vgg16_classifier]",
    ),
    Foreign("network", "resnet", ("resnet50",)),
    *(
        Foreign(
            "network",
            name,
            (),
            f"its stages are a template, `[{name}_body]`, behind `{{include blocks/resnets.cfg}}`; the whole network "
            f"is `netcfg zoo {name} -o my.cfg`",
        )
        for name in ("resnet18", "resnet34", "resnet101", "resnet152")
    ),
    Foreign(
        "network",
        "alexnet convnext densenet efficientnet googlenet inception mnasnet mobilenet regnet resnext shufflenet "
        "squeezenet swin vit",
        (),
        "`netcfg zoo` lists whole networks, and `netcfg zoo NAME -o my.cfg` writes one to start from",
    ),
    *(
        Foreign("network", words, (), _IN_ACTIVATION.format(name))
        for words, name in (
            ("relu relu6", "relu"),
            ("lrelu leakyrelu leaky_relu", "leaky_relu"),
            ("tanh", "tanh"),
            ("sigmoid logistic", "sigmoid"),
            ("elu selu", "elu"),
            ("gelu", "gelu"),
            ("silu swish", "silu"),
            ("softplus", "softplus"),
        )
    ),
    Foreign("activation", "swish swish1 silu1", ("silu",)),
    Foreign("activation", "lrelu leakyrelu leaky", ("leaky_relu",)),
    Foreign("activation", "logistic sigm", ("sigmoid",)),
    Foreign("activation", "identity id passthrough", ("linear",), "`None` or `linear` is none at all"),
    Foreign("activation", "softmax log_softmax", (), "put a [softmax] after the block"),
    Foreign("activation", "hardswish hswish", ("hard_swish",)),
    Foreign("activation", "hardsigmoid hsigmoid", ("hard_sigmoid",)),
    Foreign("activation", "prelu", (), "put a [prelu] after the block"),
    Foreign("option", "out_channels channels_out num_filters n_filters num_output nb_filter", ("filters",)),
    Foreign("option", "kernel ksize filter_size kernel_shape kernel_dim", ("kernel_size", "pool_size")),
    Foreign("option", "window window_size size", ("pool_size", "kernel_size", "sizes", "window")),
    Foreign("option", "kernel_size", ("pool_size",)),
    Foreign(
        "option",
        "input_shape input_size in_shape",
        (),
        "write `channels`, `height` and `width`, each on its line",
    ),
    Foreign("option", "index", (), "[token] takes one of an axis"),
    Foreign(
        "option",
        "broadcast",
        (),
        "leave it out: signals of other axes meet by name, and what one of them lacks is repeated",
    ),
    Foreign("option", "padding pads", ("pad", "padding")),
    Foreign("option", "strides step stride", ("stride", "scale_factor")),
    Foreign(
        "option",
        "layers",
        ("combine_layers",),
        "`from = NAME` reads another signal; several become one by `[combine_concat]`, `combine_layers = -1, -3`",
    ),
    Foreign(
        "option",
        "dilation dilations dilation_rate rate_of_dilation",
        ("dilation",),
    ),
    Foreign("option", "groups group", ("groups",)),
    Foreign("option", "units out_features features_out neurons num_units n_out", ("output_features",)),
    Foreign(
        "option",
        "in_channels channels_in input_channels in_features features_in input_dim",
        (),
        "leave it out: what a block is given is known from what it reads",
    ),
    Foreign("option", "bias biases with_bias", ("use_bias",)),
    Foreign("option", "bn batchnorm batch_norm batch_normalize batch_normalization", ("batch_normalise",)),
    Foreign("option", "act act_fn nonlinearity activation_fn", ("activation",)),
    Foreign("option", "negative_slope alpha leak", ("slope",)),
    Foreign("option", "p rate dropout drop_rate drop_prob", ("probability",)),
    Foreign("option", "axis dim dimension", ("dimension", "dim")),
    Foreign("option", "inputs bottom src parent", ("from",)),
    Foreign("option", "scale upscale factor", ("scale_factor",)),
    Foreign("option", "id label title", ("name",)),
    Foreign("option", "times repeats count n", ("repeat",)),
    Foreign("option", "condition when only_if enabled", ("if",)),
    Foreign("option", "copy parallel clones", ("copies",)),
    Foreign("option", "frozen trainable requires_grad", ("freeze",)),
    Foreign("option", "init initializer kernel_initializer weight_init", ("initialization",)),
    Foreign("option", "lr learningrate base_lr eta", ("learning_rate",)),
    Foreign("option", "epochs num_epochs n_epochs", ("max_epochs",)),
    Foreign("option", "batch batchsize bs", ("batch_size",)),
    Foreign("option", "num_workers n_workers", ("workers",)),
    Foreign(
        "option",
        "early_stopping early_stop early_stopping_patience es_patience n_iter_no_change",
        ("patience",),
    ),
    Foreign("option", "random_seed random_state manual_seed", ("seed",)),
    Foreign("option", "amp use_amp mixed_precision half fp16 dtype", ("precision",)),
    Foreign(
        "option",
        "device devices accelerator gpu gpus cuda",
        otherwise="the machine is said when one trains, not in the file: `netcfg train FILE --device cuda`",
    ),
    Foreign(
        "option",
        "log_every log_every_n_steps log_interval print_freq verbose",
        otherwise="said when one trains, not in the file: `netcfg train FILE --verbose` has a line for every batch",
    ),
    Foreign("option", "grad_clip gradient_clip_val clip_norm max_grad_norm clipnorm", ("clip_grad_norm",)),
    Foreign(
        "option", "accumulate_grad_batches gradient_accumulation_steps accumulation_steps", ("accumulate",)
    ),
    Foreign("option", "val_split validation_split val_share val_size", ("validation_share",)),
    Foreign("option", "test_split test_size", ("test_share",)),
    Foreign("option", "img_size imgsz input_size target_size resolution", ("image_size",)),
    Foreign("option", "root data_dir dataset_path directory dir folder", ("path",)),
    Foreign("option", "decay wd l2", ("weight_decay",)),
    Foreign("option", "minimize loss losses objective", ("minimise",)),
    Foreign("option", "params models parameters", ("networks",)),
    Foreign("option", "y labels truth ground_truth", ("target",)),
    Foreign("loss", "bce bceloss bcewithlogits", ("bce_with_logits",)),
    Foreign(
        "loss",
        "ce crossentropy categorical_crossentropy softmax_loss",
        ("cross_entropy",),
    ),
    Foreign("loss", "mae", ("l1",)),
    Foreign("loss", "l2 euclidean", ("mse",)),
    Foreign("loss", "dice_loss soft_dice f1_loss", ("dice",)),
    Foreign("loss", "iou iou_loss jaccard_loss", ("jaccard",)),
    Foreign("loss", "focal_loss", ("focal",)),
    Foreign("loss", "ntxent infonce info_nce simclr", ("nt_xent",)),
    Foreign("loss", "kl kld kl_div", ("kl_divergence",)),
    Foreign("loss", "vae_kl kld_normal", ("kl_normal",)),
    Foreign("loss", "gan gan_loss lsgan wgan", ("adversarial",)),
    Foreign("loss", "tv tv_loss", ("total_variation",)),
    Foreign("loss", "knowledge_distillation kd", ("distillation",)),
    Foreign("optimizer", "scheduler lr_scheduler anneal annealing ramp warmup ema_schedule", ("schedule",)),
    Foreign(
        "optimizer",
        "lbfgs l_bfgs bfgs",
        otherwise="L-BFGS computes its losses many times a step and wants all data at once, and phases compute theirs "
        "once a batch: take `[adam]`, or `[sgd]` with `momentum`",
    ),
    Foreign(
        "optimizer",
        "rprop",
        otherwise="Rprop goes by the signs of whole-data gradients, and batches change these: `[rmsprop]` is its form "
        "for batches",
    ),
    Foreign(
        "optimizer",
        "asgd averaged_sgd",
        otherwise="take `[sgd]`, and `ema` in [training] for an average of the weights",
    ),
    Foreign(
        "optimizer",
        "sparse_adam sparseadam lazy_adam",
        otherwise="gradients are not sparse here: take `[adam]`",
    ),
    Foreign("optimizer", "lion lamb lars ranger shampoo soap sophia prodigy", otherwise=OWN_OPTIMIZER),
    Foreign("metric", "acc categorical_accuracy", ("accuracy",)),
    Foreign("metric", "roc_auc rocauc", ("auc",)),
    Foreign("metric", "fscore", ("f1",)),
    Foreign("data", "standardize", ("normalise",)),
    Foreign("data", "folder_dataset class_folder pictures images", ("image_folder",)),
    Foreign("data", "csv tsv table dataframe list image_csv", ("image_list",)),
    Foreign("data", "segmentation masks image_masks paired_images", ("image_pairs",)),
    Foreign("data", "unaligned unpaired", ("unpaired_images",)),
    Foreign("data", "numpy npy npz tensors", ("arrays",)),
    Foreign("data", "mnist fashionmnist cifar10 cifar100 voc stl10 svhn", ("torchvision",)),
    Foreign("data", "flip hflip", ("horizontal_flip",)),
    Foreign("data", "colourjitter colour_jitter jitter", ("color_jitter",)),
    Foreign("data", "rescale scale", ("resize",)),
)


def help_for(word: str, kind: Kind, known: Collection[str]) -> str | None:
    """The help line for an unknown name: what it means if it is another framework's, else the nearest name."""
    last = word.rpartition(".")[2] or word  # `nn.Linear`, `[net.convolutional]` of TOML
    return meant(last, kind, known) or did_you_mean(last, known)


def meant(word: str, kind: Kind, known: Container[str]) -> str | None:
    """The help line for a word of another framework; None for a word that is not in the table."""
    found = _by_word().get((kind, _folded(word)))
    if found is None or word in known:
        return None
    name = name_here(word, kind, known)
    return f"did you mean `{name}`?" if name is not None else found.otherwise or None


def name_here(word: str, kind: Kind, known: Container[str]) -> str | None:
    """What a word of another framework is called here; None where it is none, or nothing known is called so."""
    found = _by_word().get((kind, _folded(word)))
    return next((name for name in found.here if name in known), None) if found is not None else None


@cache
def _by_word() -> dict[tuple[Kind, str], Foreign]:
    return _of_classes() | {(row.kind, _folded(word)): row for row in _TABLE for word in row.words.split()}


def _of_classes() -> dict[tuple[Kind, str], Foreign]:
    """What the names of PyTorch's and Keras's classes mean: of those that stand for several, the first."""
    found: dict[tuple[Kind, str], Foreign] = {}
    for kind in _GROUPS:
        for here, counterpart in COUNTERPARTS[kind].items():
            for word in counterpart.words():
                found.setdefault((kind, _folded(word)), Foreign(kind, word, (here,)))
    return found


def _folded(word: str) -> str:
    """`nn.Conv2d` and `conv_2d` are `conv2d`."""
    word = word.rpartition(".")[2]
    return word.casefold().replace("_", "").replace("-", "").replace(" ", "")
