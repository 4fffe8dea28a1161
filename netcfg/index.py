"""The list of all section types: by what they are, in an order in which one finds things, and by what one wants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from netcfg.blocks.base import Section
from netcfg.blocks.registry import GROUPS, Group, sections
from netcfg.extensions import read_packages
from netcfg.source import render

GROUP_TITLES: dict[Group, str] = {
    "network": "Blocks of a network",
    "data": "{Data}: sources and transforms",
    "loss": "{Loss}",
    "optimizer": "{Optimizer}",
    "metric": "{Metric}",
    "general": "{General}",
}
FAMILIES: dict[Group, tuple[tuple[str, str], ...]] = {
    "network": (
        ("What goes in and out", "net"),
        ("Convolutions", "convolution deconvolution modulated_convolution"),
        ("Connected layers", "connected"),
        ("Activations", "activation"),
        ("Normalisation and scales", "normalisation norms scaling"),
        ("Pooling, and an axis less", "pooling adaptive_pooling reducing"),
        ("Larger, smaller, turned images", "resizing fir sampling"),
        ("One signal of several", "combine combine_more formula"),
        ("Other axes, other shapes, parts", "shaping places routing"),
        ("Rows of tokens, and attention", "tokens kept_tokens attention windows"),
        ("Clips, and recurrence", "frames recurrent"),
        ("Chance in training, and other gradients", "stochastic batch"),
        ("Signals from nowhere", "constants random"),
        ("Memory", "memory"),
        ("Derivatives", "gradient"),
        ("Whole networks", "backbones backbone module"),
    ),
    "data": (("Sources", "sources"), ("Samplers", "samplers"), ("Transforms", "transforms")),
}
"""Titles, and the modules or folders whose sections stand below each."""
OTHERS = "Others"
"""What stands in no family: blocks of one's own."""


class Task(NamedTuple):
    """What somebody wants to do, and the sections that do it, the first to try first."""

    wish: str
    names: str


I_WANT_TO: dict[Group, tuple[Task, ...]] = {
    "network": (
        Task("say what a network reads and gives", "net input output"),
        Task("find edges, textures, parts in images, signals or clips", "convolutional"),
        Task(
            "make an image smaller",
            "maxpool avgpool patches pixel_unshuffle adaptive_avgpool adaptive_maxpool",
        ),
        Task("make an image larger", "upsample deconvolutional pixel_shuffle fir_upsample"),
        Task("blur an image before it is made smaller", "blur"),
        Task("make a vector of an image", "global_avgpool global_maxpool flatten reduce"),
        Task("predict classes or numbers from a vector", "connected softmax"),
        Task("bend: put a function between two layers", "activation prelu"),
        Task(
            "train a deep network: keep its numbers in range",
            "batch_norm layer_norm group_norm instance_norm rms_norm",
        ),
        Task("bring vectors or pixels to one length", "l2_norm pixel_norm local_response_norm"),
        Task("learn a factor for each channel", "scale combine_multiply"),
        Task("skip blocks, or join branches", "combine_add combine_concat combine_mean combine_max stack"),
        Task("compare or gate signals", "combine_subtract combine_multiply"),
        Task("read a block again, or only a part of it", "route select_subset crop token frame identity"),
        Task("lay a signal out anew", "reshape permute flatten unsqueeze squeeze roll channel_shuffle pad"),
        Task("turn, move or warp an image", "spatial_transformer grid_sample"),
        Task("treat an image as a row of tokens", "tokens image_of_tokens class_token positions"),
        Task("compute with some tokens of a row alone, and fill in the others", "keep_tokens put_tokens"),
        Task("let every place look at every other", "self_attention window_attention"),
        Task("let one signal look at another", "cross_attention"),
        Task("turn classes into vectors", "embedding"),
        Task("follow a row or a clip through time", "lstm gru rnn"),
        Task("make one answer of many frames", "frame_mean frame_max frame_attention frame"),
        Task("use optical flow beside an image", "flow_fusion"),
        Task("overfit less", "dropout stochastic_depth drop_channels"),
        Task("stop, turn or bridge gradients", "detach reverse_gradient straight_through"),
        Task("let a style steer an image, as StyleGAN does", "modulated_convolutional"),
        Task("compute something of my own from signals", "formula module"),
        Task("pair samples with those of others", "shuffle_batch"),
        Task("show a critic how much samples differ", "minibatch_std"),
        Task("use numbers that no input gives: drawn, fixed or learned", "random constant parameter"),
        Task("remember earlier batches", "queue running_mean pool"),
        Task("differentiate a signal by another, as penalties do", "gradient"),
        Task("have a code of few symbols", "vector_quantise"),
        Task("compare a vector with many others", "similarity queue"),
        Task("start from published weights", "backbone resnet50 vgg-face"),
    ),
    "data": (
        Task("try a network before I have data", "synthetic_faces"),
        Task("read my own pictures, each of one class", "image_folder"),
        Task("read pictures with a mask or another picture each", "image_pairs"),
        Task("read pictures of two kinds that are no pairs", "unpaired_images"),
        Task("read arrays of numpy", "arrays"),
        Task("read what torchvision has fetched: MNIST, CIFAR10, VOC and others", "torchvision"),
        Task("read pictures that a table or a list names, with whatever it says of them", "image_list"),
        Task("read my own recordings", "clips"),
        Task("judge whole clips, each of one class", "clip_folder sample_frames"),
        Task("read a database of action units", "bp4d disfa audetnet_folder"),
        Task("read a database of expressions", "ck_plus bu_3dfe affectnet"),
        Task("show rare labels more often", "balanced weighted momu oversample"),
        Task("have several samples of a class in each batch", "batches_of"),
        Task("read samples of a clip or a subject in a row", "shuffle_within"),
        Task("have all pictures of one size, and one scale", "resize center_crop normalise"),
        Task(
            "have more variety than there is, and choose nothing", "trivial_augment rand_augment auto_augment"
        ),
        Task("show other parts of a picture each time", "random_resized_crop random_crop random_erasing"),
        Task("mirror, turn or bend a picture", "horizontal_flip rotate affine perspective elastic"),
        Task(
            "change colours and sharpness",
            "color_jitter brightness grayscale gaussian_blur solarize posterize equalize noise",
        ),
        Task("mix pictures and their labels with each other", "mixup cutmix"),
        Task("see a sample twice, each time otherwise", "views copy"),
        Task("put faces before backgrounds, or spoil pictures", "over_background poor_picture"),
        Task("see motion", "optical_flow"),
        Task("know how much data a network needs", "subset"),
        Task("judge a network by data of other labels, or of labels in another order", "match_labels"),
        Task("train on several data sets at once, on labelled and unlabelled samples", "joined leave_out"),
        Task("have all faces in one place, and of one size", "align_face"),
        Task("learn where on a face an action unit shows", "heatmaps"),
    ),
    "loss": (
        Task("train for one class of many, of a sample or of each pixel", "cross_entropy nll"),
        Task("train for vectors that lie together by class", "gaussian_mixture norm"),
        Task("train for several yes-or-no labels", "bce_with_logits"),
        Task("train for what is rare, or small in a picture", "focal dice jaccard tversky"),
        Task("train for numbers, or for an image", "l1 mse huber smooth_l1"),
        Task("train for numbers that go along with those of raters", "ccc"),
        Task("have pictures look alike, or be smooth", "ssim perceptual total_variation"),
        Task("have a network say how sure it is of its numbers", "gaussian_nll"),
        Task("learn from another network, or from probabilities", "distillation kl_divergence"),
        Task(
            "lay what belongs together near each other", "triplet contrastive cosine_embedding arcface center"
        ),
        Task("train for several tasks without weighing them by hand", "uncertainty"),
        Task("learn without labels, from two views", "nt_xent cosine_embedding"),
        Task("keep a variational code near the normal distribution", "kl_normal"),
        Task("train against a critic", "adversarial mean gradient_penalty"),
    ),
    "optimizer": (
        Task("train without thinking about it", "adam adamw"),
        Task("train as a paper did", "sgd rmsprop adagrad adadelta adamax nadam"),
        Task("let a factor, a rate or a momentum change while it trains", "schedule"),
        Task("do without a warm-up", "radam"),
        Task("train a transformer faster", "muon"),
        Task("have little memory for the optimizer", "adafactor sgd"),
        Task("do now and then what costs much", "again"),
        Task("let a network follow another, as mean teachers do", "moving_average"),
    ),
    "metric": (
        Task("know how often a network is right", "accuracy f1 top_k"),
        Task("know what is found, and what is called so wrongly", "precision recall specificity"),
        Task("see which class is taken for which", "confusion_matrix"),
        Task("know how well areas meet", "iou dice"),
        Task("know it whatever the threshold", "auc average_precision two_afc"),
        Task("know whether probabilities are what they say", "calibration_error"),
        Task("know how far numbers lie from what is right", "mae mse rmse"),
        Task("know how numbers move together", "r2 pearson ccc icc"),
        Task("know how alike pictures are", "psnr ssim"),
        Task("know whether embeddings find their class", "knn_accuracy retrieval"),
        Task("know what codes tell of each other", "xcov variance"),
        Task("know how far a critic tells two sides apart", "emd_bound"),
        Task("know how near made pictures come to real ones", "frechet_distance"),
    ),
    "general": (
        Task("say how long to train, and when to stop", "training"),
        Task("look at what a network makes", "pictures"),
        Task("compare with a paper's figures", "published"),
        Task("write AUDetNet's own files", "training_options data_options loss_options"),
    ),
}


def index_text() -> str:
    """Every section type with its first line, by family; then by task. Also those of packages that bring some."""
    broken = [render(broken.finding) for broken in read_packages()]
    parts = ["\n".join([GROUP_TITLES[group], *_family_lines(group)]) for group in GROUPS]
    tasks = "\n".join(["I want to …", *_task_lines()])
    return "\n\n".join([*parts, tasks, *broken, "`netcfg blocks NAME` prints a page."])


def families(group: Group) -> Iterator[tuple[str, list[type[Section]]]]:
    """The titles of a group's families and their sections; one family without a title where it has none."""
    rows = FAMILIES.get(group, ())
    members: dict[str, list[type[Section]]] = {title: [] for title, _ in rows}
    for section in sections(group).values():
        members.setdefault(_family(section, rows), []).append(section)
    yield from ((title, found) for title, found in members.items() if found)


def first_line(section: type[Section]) -> str:
    """What a section is, in one line."""
    return section.describe().partition("\n")[0]


def tasks_markdown() -> str:
    """The index by task for `cfg/README.md`."""
    rows = ["## I want to …\n", "| I want to | sections |", "| --- | --- |"]
    for group in GROUPS:
        for task in I_WANT_TO[group]:
            links = ", ".join(f"[`[{name}]`](#{name})" for name in task.names.split())
            rows.append(f"| {task.wish} | {links} |")
    return "\n".join(rows) + "\n"


def _family(section: type[Section], rows: Sequence[tuple[str, str]]) -> str:
    """The title of a section's family: by the module that it stands in, or by the folder."""
    places = section.__module__.split(".") if section.__module__.startswith("netcfg.blocks.") else []
    found = (title for title, modules in rows if set(modules.split()) & set(places[-2:]))
    return next(found, OTHERS if rows else "")


def _family_lines(group: Group) -> Iterator[str]:
    width = max(map(len, sections(group)), default=0)
    for title, members in families(group):
        if title:
            yield f"  {title}"
        indent = "    " if title else "  "
        for section in members:
            yield f"{indent}{section.type_name.ljust(width)}  {first_line(section)}"


def _task_lines() -> Iterator[str]:
    tasks = [task for group in GROUPS for task in I_WANT_TO[group]]
    width = max(len(task.wish) for task in tasks)
    for task in tasks:
        yield f"  {task.wish.ljust(width)}  {', '.join(task.names.split())}"
