"""Pass: a file in AUDetNet's own format becomes one in the general language.

Such a file has three option blocks in `{General}`, read by position, and networks of fixed names. What they mean is
written out here as groups, a text like any other, so that nothing of the original's recipe is hidden:
`netcfg fmt --expand` prints it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from netcfg.blocks.base import ShapeError
from netcfg.blocks.general.audetnet import POSITIONAL, DataOptions, LossOptions, TrainingOptions
from netcfg.graph import Graph
from netcfg.passes.collect import Parts
from netcfg.passes.schema import check_section
from netcfg.passes.variables import VariableScope
from netcfg.shapes import Shape
from netcfg.source import Finding, SourceFile
from netcfg.syntax import Group, Option, Section, parse
from netcfg.words import to_write

PAIR_CRITIC = "Discriminator"
IMAGE_CRITIC = "Image Discriminator"
BATCH_NORM_EPS = "1e-4"
IMAGE_SIZES = (256, 224, 192, 160, 128, 112, 100, 96, 64, 48, 32, 16)
DEFAULT_IMAGE_SIZE = 64
ACTION_UNIT_SETS = {12: "disfa", 8: "disfa8"}
ACTION_UNITS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26)


def translate(parts: Parts, graphs: Sequence[Graph], findings: list[Finding]) -> None:
    """Replace the three blocks by the groups they stand for. A group that the file writes itself is kept."""
    general = parts.reserved.get("General", [])
    options = _options(parts, findings)
    parts.reserved["General"] = []
    _spell_out(parts)
    if "Data" in parts.reserved:
        _warn_overridden(general, findings)
    networks = {graph.name: graph for graph in graphs}
    if options is None or set(networks) != set(parts.networks):
        return
    recipe = _Recipe(networks, *options)
    _warn_without_critic(general, recipe, findings)
    if _lacks_weights(general, recipe, findings):
        return
    for item in _parsed(recipe, general, f"{parts.name}, expanded", findings):
        _keep_places(item, general[1])
        if item.name == "General" or item.name not in parts.reserved:
            parts.spans.setdefault(item.name, item.span)
            parts.reserved[item.name] = item.sections


def _parsed(
    recipe: _Recipe, general: Sequence[Section], name: str, findings: list[Finding]
) -> Iterator[Group]:
    """The groups, each as if the block whose options it follows from included it."""
    before = 0
    for block, lines in recipe.groups():
        text = "\n" * before + "\n".join(lines) + "\n"  # lines are counted through all groups
        source = SourceFile(name, text, general[block].span)
        yield from (item for item in parse(source, findings).items if isinstance(item, Group))
        before += len(lines)


def _keep_places(group: Group, written: Section) -> None:
    """Normalisation is as the data options say: what is found wrong with it is found there."""
    for section in group.sections if group.name == "Data" else ():
        if section.name == "normalise":
            section.options = [written.option(option.key) or option for option in section.options]


def _lacks_weights(general: Sequence[Section], recipe: _Recipe, findings: list[Finding]) -> bool:
    """Whether a weight of the critic of pairs is not written although it trains: then what it minimises is unknown."""
    keys = ("gradient_loss_lambda_discr", "discriminator_loss_lambda") if recipe.has_pairs else ()
    missing = [key for key in keys if general[2].option(key) is None]
    if missing:
        names = " and ".join(f"`{key}`" for key in missing)
        message = f"`{general[2].name}` needs {names}: the `{PAIR_CRITIC}` trains"
        findings.append(Finding("NC104", message, general[2].span, help=to_write(missing)))
    return bool(missing)


def _warn_overridden(general: Sequence[Section], findings: list[Finding]) -> None:
    """The options of data that do not count where the file has a {Data} of its own."""
    for section in general[1:2]:
        for option in section.options:
            if option.key in ("mean", "std", "epoch_size", "sampling_size"):
                message = f"`{option.key}` does not count here: the file has a {{Data}} of its own"
                help = "take it out, or write it in {Data}"
                findings.append(Finding("NC115", message, option.span, help=help, severity="warning"))


def _warn_without_critic(general: Sequence[Section], recipe: _Recipe, findings: list[Finding]) -> None:
    """The weights of losses whose critic the file does not have, or does not use."""
    without = []
    if not recipe.has_image_critic:
        without += ["gradient_loss_lambda_img_discr", "img_discriminator_loss_lambda"]
    if not recipe.has_pairs:
        without += ["gradient_loss_lambda_discr", "discriminator_loss_lambda"]
    for key in without:
        option = general[2].option(key)
        if option is not None and getattr(recipe.loss, key) != 0:
            critic = IMAGE_CRITIC if "img" in key else PAIR_CRITIC
            message = f"`{key}` does not count: no `{critic}` trains"
            help = f"write `{key} = 0`"
            findings.append(Finding("NC115", message, option.span, help=help, severity="warning"))


def _spell_out(parts: Parts) -> None:
    """Write the original's epsilon into its networks, where it is the default."""
    source = SourceFile(f"{parts.name}, expanded", f"eps = {BATCH_NORM_EPS}")
    for group in parts.networks.values():
        for section in group.sections:
            written = section.option("batch_normalise")
            normalises = written is not None and written.value.lower() not in ("0", "false", "no")
            if section.name == "convolutional" and normalises and not section.option("eps"):
                section.options.append(Option(source, 1, "eps", BATCH_NORM_EPS))


def _options(
    parts: Parts, findings: list[Finding]
) -> tuple[TrainingOptions, DataOptions, LossOptions] | None:
    scope = VariableScope(parts.variables)
    sections = [scope.replace(section) for section in parts.reserved.get("General", [])]
    if len(sections) != len(POSITIONAL):
        span = parts.spans.get("General")
        message = f"an AUDetNet file has three blocks in {{General}}, and this has {len(sections)}"
        help = "training, data and loss options, in this order"
        findings.append(Finding("NC104", message, span, help=help))
        return None
    training = check_section(sections[0], TrainingOptions, findings)
    data = check_section(sections[1], DataOptions, findings)
    loss = check_section(sections[2], LossOptions, findings)
    return (training, data, loss) if training and data and loss else None


class _Recipe:
    """What the options of an AUDetNet file say, in the general language."""

    def __init__(
        self,
        networks: Mapping[str, Graph],
        training: TrainingOptions,
        data: DataOptions,
        loss: LossOptions,
    ) -> None:
        self.networks = networks
        self.training = training
        self.data = data
        self.loss = loss
        self.code = int(str(_output_channels(networks["Encoder"])))
        self.z1 = int(str(_input_channels(networks["AUPredictor"])))
        # As in the original: nothing is left to shuffle where the predictor reads the whole code.
        self.has_pairs = PAIR_CRITIC in networks and self.code != self.z1
        self.has_image_critic = IMAGE_CRITIC in networks

    def groups(self) -> Iterator[tuple[int, list[str]]]:
        """The lines of all groups, and from which of the three blocks most of each comes."""
        made = (self._data, self._model, self._losses, self._optimizers, self._metrics, self._general)
        for block, group in zip((1, 0, 2, 0, 1, 0), made, strict=True):
            yield block, list(group())

    def _data(self) -> Iterator[str]:
        labels = int(str(_output_channels(self.networks["AUPredictor"])))
        units = ACTION_UNIT_SETS.get(labels) or ", ".join(map(str, ACTION_UNITS[:labels]))
        size = _image_size(self.networks)
        yield from ("{Data}", "[synthetic_faces]", f"image_size = {size}", f"action_units = {units}")
        yield f"labels_are_intensities = {self.data.regress_au_intensities}"
        yield from ("[resize]", f"size = {size}")
        if self.data.balance_dataset_with_momu:
            yield from ("[momu]", f"epoch_size = {self.data.epoch_size}")
            yield f"sampling_size = {self.data.sampling_size}"
        yield from ("[horizontal_flip]", "probability = 0.5")
        yield from ("[color_jitter]", "probability = 0.9", "brightness = 0.5, 1.5", "contrast = 0.5, 1.5")
        yield "saturation = 0, 1.5"
        # On a copy, as the clean picture is what is to be reconstructed.
        yield from ("[noise]", "input = image", "output = noisy_image", "amount = 0.015")
        yield from ("[normalise]", f"mean = {', '.join(map(str, self.data.mean))}")
        yield f"std = {', '.join(map(str, self.data.std))}"

    def _model(self) -> Iterator[str]:
        yield "{Model}"
        yield from ("[Encoder]", "name = code", "from = noisy_image")
        if self.code != self.z1:
            yield from self._part("z1", 0, self.z1)
            yield from self._part("z2", self.z1, self.code)
        yield from (
            "[AUPredictor]",
            "name = action_units",
            f"from = {'code' if self.code == self.z1 else 'z1'}",
        )
        yield from ("[Decoder]", "name = reconstruction", "from = code")
        if self.has_image_critic:
            yield from (f"[{IMAGE_CRITIC}]", "name = image_score", "from = image")
            yield from (f"[{IMAGE_CRITIC}]", "name = reconstruction_score", "from = reconstruction")
        if self.has_pairs:
            # A sample is paired with the next one's rest, the last with the first one's.
            yield from ("[shuffle_batch]", "name = other_z2", "from = z2", "mode = shift", "by = 1")
            yield from ("[combine_concat]", "name = shuffled_code", "combine_layers = z1, other_z2")
            yield from ("dimension = 1",)
            yield from (f"[{PAIR_CRITIC}]", "name = pair_score", "from = code")
            yield from (f"[{PAIR_CRITIC}]", "name = shuffled_score", "from = shuffled_code")

    @staticmethod
    def _part(name: str, start: int, end: int) -> Iterator[str]:
        yield from ("[select_subset]", f"name = {name}", "origin_layer = code", "dimension = 1")
        yield from (f"start_index = {start}", f"end_index = {end}")

    def _losses(self) -> Iterator[str]:
        detection = "mse" if self.loss.au_regression_loss_function == "MSE" else "bce_with_logits"
        yield "{Loss}"
        yield from (f"[{detection}]", "name = detection", "input = action_units", "target = labels")
        yield from ("[l1]", "name = reconstruction_error", "input = reconstruction", "target = image")
        if self.has_image_critic:
            yield from ("[mean]", "name = image_real", "input = image_score")
            yield from ("[mean]", "name = image_fake", "input = reconstruction_score")
            yield from self._penalty("image_penalty", IMAGE_CRITIC, "image", "reconstruction")
        if self.has_pairs:
            yield from ("[mean]", "name = pairs_true", "input = pair_score")
            yield from ("[mean]", "name = pairs_shuffled", "input = shuffled_score")
            yield from self._penalty("pair_penalty", PAIR_CRITIC, "shuffled_code", "code")

    @staticmethod
    def _penalty(name: str, network: str, real: str, fake: str) -> Iterator[str]:
        yield from ("[gradient_penalty]", f"name = {name}", f"network = {network}")
        # The original takes the norm over channels alone, at every pixel by itself.
        yield from (f"real = {real}", f"fake = {fake}", "norm_over = channel")

    def _optimizers(self) -> Iterator[str]:
        loss = self.loss
        yield "{Optimizer}"
        if self.has_image_critic:
            # Critics first, in this order, so that the main networks train against critics that have just
            # been updated.
            penalty = _term(loss.gradient_loss_lambda_img_discr, "image_penalty")
            yield from self._adam("image_critic", [IMAGE_CRITIC], f"image_fake - image_real{penalty}")
        if self.has_pairs:
            penalty = _term(loss.gradient_loss_lambda_discr, "pair_penalty")
            yield from self._adam("pair_critic", [PAIR_CRITIC], f"pairs_true - pairs_shuffled{penalty}")
        terms = "detection" + _term(loss.reconstruction_loss_lambda, "reconstruction_error")
        if self.has_image_critic:
            terms += _term(-loss.img_discriminator_loss_lambda, "image_fake")
        if self.has_pairs:
            terms += _term(-loss.discriminator_loss_lambda, "pairs_true")
        trained = ["Encoder", "AUPredictor", "Decoder"]
        yield from self._adam("main", trained, terms)
        yield f"every = {self.training.train_main_net_every_n_batches}"

    def _adam(self, name: str, networks: list[str], minimise: str) -> Iterator[str]:
        training = self.training
        trained = [network for network in networks if self.networks[network].trainable]
        yield from ("[adam]", f"name = {name}", f"networks = {', '.join(trained)}")
        yield f"minimise = {minimise}"
        if training.learning_rate_scheduler == "Linear" and training.decay_lr_over_last_n_epochs:
            yield "schedule = linear"
            yield f"decay_over_last_epochs = {training.decay_lr_over_last_n_epochs}"

    def _metrics(self) -> Iterator[str]:
        # With labels of 0 and 1 the original compares the logit itself with 0.5.
        decision = "probability" if self.data.regress_au_intensities else "logit"
        compared = ("input = action_units", "target = labels")
        yield "{Metric}"
        # Where a label has no positives or no negatives, the original counts 0.
        yield from ("[f1]", *compared, f"decision = {decision}", "threshold = 0.5", "undefined = zero")
        yield from ("[accuracy]", *compared, f"decision = {decision}", "threshold = 0.5")
        yield from ("[two_afc]", *compared, "undefined = zero")
        if self.code != self.z1:
            yield from ("[xcov]", "input = z1", "target = z2")
            yield from ("[variance]", "name = z2_variance", "input = z2")
        if self.has_image_critic:
            yield from ("[emd_bound]", "name = image_emd", "input = image_score")
            yield from ("target = reconstruction_score",)
        if self.has_pairs:
            yield from ("[emd_bound]", "name = pair_emd", "input = shuffled_score", "target = pair_score")

    def _general(self) -> Iterator[str]:
        training = self.training
        yield from ("{General}", "[training]", f"batch_size = {training.batch_size}")
        yield f"max_epochs = {training.max_epochs}"
        yield f"max_validation_batches = {training.max_test_iters}"
        yield "drop_last = True"
        yield from ("[pictures]", "show = image, noisy_image, reconstruction", "gradient_flow = True")


def _term(factor: float, loss: str) -> str:
    """`+ 10 * loss`; nothing for a factor of 0, so that nothing is computed for it."""
    if factor == 0:
        return ""
    sign = "-" if factor < 0 else "+"
    return f" {sign} {loss}" if abs(factor) == 1 else f" {sign} {abs(factor):g} * {loss}"


def _output_channels(graph: Graph) -> object:
    return next(iter(graph.outputs.values())).shape[0]


def _input_channels(graph: Graph) -> object:
    return next(iter(graph.inputs.values())).shape[0]


def _image_size(networks: Mapping[str, Graph]) -> int:
    """The size of the encoder's input; where it states none, the one that the decoder gives back."""
    encoder, decoder = networks["Encoder"], networks["Decoder"]
    shape = next(iter(encoder.inputs.values())).shape
    if isinstance(shape[-1], int):
        return shape[-1]
    for size in IMAGE_SIZES:
        image: Shape = (shape[0], size, size)
        if _through(decoder, _through(encoder, image)) == image:
            return size
    return DEFAULT_IMAGE_SIZE


def _through(graph: Graph, shape: Shape | None) -> Shape | None:
    """What a network of one input makes of a shape; None where it cannot take it."""
    if shape is None:
        return None
    try:
        return next(iter(graph.output_shapes(dict.fromkeys(graph.inputs, shape)).values()))
    except ShapeError:
        return None
