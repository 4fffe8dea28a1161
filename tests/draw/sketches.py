"""Graphs made by hand: what the drawing code reads of a graph, without the compiler."""

from dataclasses import dataclass

from netcfg.graph import Graph, Node, Scope, Signal
from netcfg.source import SourceFile, Span

FILE = SourceFile("sketch.cfg", "")

FAMILIES = {
    "input": "input",
    "convolutional": "convolution",
    "connected": "connected",
    "maxpool": "pooling",
    "activation": "activation",
    "dropout": "regularisation",
    "batch_norm": "normalisation",
    "upsample": "upsampling",
    "combine_add": "combination",
    "combine_concat": "combination",
    "flow_fusion": "fusion",
    "resnet50": "backbone",
}


@dataclass(frozen=True)
class FakeBlock:
    """As much of a block as a diagram looks at."""

    type_name: str
    text: str = ""
    name: str | None = None

    @property
    def family(self) -> str:
        return FAMILIES.get(self.type_name, "routing")

    @property
    def joins_box(self) -> bool:
        return self.type_name in ("activation", "prelu", "dropout", "batch_norm")

    def label(self) -> str:
        return self.text

    def drawn(self) -> str:
        return self.text


class Sketch:
    """Adds nodes one by one; each method gives the new node's index, by which later ones read it."""

    def __init__(self, name="Net"):
        self.name = name
        self.nodes: list[Node] = []
        self.scopes: tuple[Scope, ...] = ()
        self.position = 0

    def input(self, name="input", shape=(3, 64, 64)) -> int:
        return self._add("input", "", name, (), {"": shape}, 0, None)

    def add(
        self, type_name, text="", *sources, shape=None, name=None, parameters=0, ports=None, trainable=None
    ) -> int:
        """A block that reads `sources` (indices, or (index, port)); by default the node before."""
        signals = tuple(self.signal(source) for source in sources or (len(self.nodes) - 1,))
        shapes = ports or {"": shape or signals[0].shape}
        position, self.position = self.position, self.position + 1
        index = self._add(type_name, text, name, signals, shapes, parameters, position)
        if trainable is not None:
            node = self.nodes[index]
            self.nodes[index] = Node(
                node.path,
                node.block,
                node.inputs,
                node.outputs,
                node.span,
                node.position,
                node.scopes,
                parameters,
                trainable,
            )
        return index

    def conv(self, filters, *sources, kernel=3, size=None, **options) -> int:
        before = self.signal((sources or (len(self.nodes) - 1,))[0]).shape
        shape = (filters, size or before[1], size or before[2])
        text = f"{kernel}×{kernel}, {filters}"
        parameters = kernel * kernel * before[0] * filters
        return self.add("convolutional", text, *sources, shape=shape, parameters=parameters, **options)

    def use(self, path, template, index=None, count=None):
        """What is added in the `with` block belongs to this use of a template, or turn of a repeat."""
        return _Use(self, Scope(path, template, Span(FILE, len(self.nodes) + 1), index, count))

    def signal(self, source) -> Signal:
        index, port = source if isinstance(source, tuple) else (source, None)
        outputs = self.nodes[index].outputs
        return outputs[port] if port is not None else next(iter(outputs.values()))

    def graph(self, **outputs) -> Graph:
        """The graph; `outputs` by name, or the last node's signal."""
        signals = {name: self.signal(source) for name, source in outputs.items()}
        signals = signals or {"": self.signal(len(self.nodes) - 1)}
        return Graph(self.name, tuple(self.nodes), signals, Span(FILE, 1), None)

    def _add(self, type_name, text, name, signals, shapes, parameters, position) -> int:
        index = len(self.nodes)
        around = f"{self.scopes[-1].path}." if self.scopes else ""
        path = f"{around}{name or (position if position is not None else index)}"
        outputs = {port: Signal(index, port, shape) for port, shape in shapes.items()}
        block = FakeBlock(type_name, text, name)
        span = Span(FILE, index + 1)
        self.nodes.append(
            Node(path, block, signals, outputs, span, position, self.scopes, parameters, parameters)
        )
        return index


class _Use:
    def __init__(self, sketch, scope):
        self.sketch = sketch
        self.scope = scope

    def __enter__(self):
        self.before = self.sketch.scopes, self.sketch.position
        self.sketch.scopes = (*self.sketch.scopes, self.scope)
        self.sketch.position = 0

    def __exit__(self, *error):
        self.sketch.scopes, self.sketch.position = self.before[0], self.before[1] + 1


# --- networks of the kinds that people draw -----------------------------------------------------------------


def vgg16() -> Graph:
    """A long chain: 13 convolutions with their activations, 5 poolings, 3 connected blocks."""
    sketch = Sketch("AUNet")
    sketch.input("image", (3, 224, 224))
    size = 224
    for filters, turns in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(turns):
            sketch.conv(filters)
            sketch.add("activation", "relu")
        size //= 2
        sketch.add("maxpool", "2×2, stride 2", shape=(filters, size, size))
    sketch.add("flatten", shape=(25088,))
    for features in (4096, 4096):
        sketch.add("connected", f"{features}", shape=(features,), parameters=1000)
        sketch.add("activation", "relu")
        sketch.add("dropout", "0.5")
    sketch.add("connected", "1", shape=(1,), name="classifier")
    return sketch.graph()


def basic_block(sketch: Sketch, before: int, filters: int, size: int) -> int:
    """A residual block, with a convolution on its shortcut where the shape changes."""
    wider = sketch.signal(before).shape[0] != filters
    sketch.conv(filters, before, size=size, name="conv1")
    sketch.add("batch_norm", name="bn1")
    sketch.add("activation", "relu")
    main = sketch.conv(filters, name="conv2")
    main = sketch.add("batch_norm", name="bn2")
    shortcut = sketch.conv(filters, before, kernel=1, size=size, name="downsample") if wider else before
    sketch.add("combine_add", "", main, shortcut)
    return sketch.add("activation", "relu")


def resnet18(templates: bool = True) -> Graph:
    sketch = Sketch("ResNet-18")
    sketch.input("image", (3, 224, 224))
    sketch.conv(64, kernel=7, size=112, name="conv1")
    sketch.add("batch_norm", name="bn1")
    sketch.add("activation", "relu")
    last = sketch.add("maxpool", "3×3, stride 2", shape=(64, 56, 56))
    for stage, (filters, size) in enumerate(((64, 56), (128, 28), (256, 14), (512, 7)), 1):
        for turn in range(2):
            if templates:
                with sketch.use(f"layer{stage}_{turn}", "basic_block"):
                    last = basic_block(sketch, last, filters, size)
            else:
                last = basic_block(sketch, last, filters, size)
    sketch.add("global_avgpool", shape=(512,))
    sketch.add("connected", "1000", shape=(1000,), name="fc", parameters=513_000)
    return sketch.graph()


def unet() -> Graph:
    sketch = Sketch("U-Net")
    sketch.input("image", (1, 256, 256))
    skips, size = [], 256
    for filters in (64, 128, 256, 512):
        sketch.conv(filters)
        sketch.add("activation", "relu")
        sketch.conv(filters)
        skips.append((sketch.add("activation", "relu"), filters, size))
        size //= 2
        sketch.add("maxpool", "2×2, stride 2", shape=(filters, size, size))
    sketch.conv(1024)
    last = sketch.conv(1024)
    for skip, filters, size in reversed(skips):
        last = sketch.add("upsample", "×2, nearest", last, shape=(2 * filters, size, size))
        sketch.add("combine_concat", "", last, skip, shape=(3 * filters, size, size))
        sketch.conv(filters)
        last = sketch.conv(filters)
    sketch.conv(2, kernel=1, name="mask")
    return sketch.graph()


def two_streams(templates: bool = False) -> Graph:
    """Image and flow through stacks of their own, concatenated late; two outputs."""
    sketch = Sketch("Two streams")
    streams = {name: sketch.input(name, (3, 112, 112)) for name in ("image", "flow")}
    ends = []
    for name, last in streams.items():
        if templates:
            with sketch.use(f"{name}_features", "stack"):
                ends.append(_stack(sketch, last))
        else:
            ends.append(_stack(sketch, last))
    sketch.add("combine_concat", "", *ends, shape=(512, 14, 14))
    sketch.add("flatten", shape=(100352,))
    shared = sketch.add("connected", "256, relu", shape=(256,), parameters=25_690_368)
    units = sketch.add("connected", "12", shared, shape=(12,), name="action_units")
    emotion = sketch.add("connected", "7", shared, shape=(7,), name="emotion")
    valence = sketch.add("connected", "2, tanh", shared, shape=(2,), name="valence")
    return sketch.graph(action_units=units, emotion=emotion, valence=valence)


def _stack(sketch: Sketch, last: int) -> int:
    size = 112
    for filters in (64, 128, 256):
        sketch.conv(filters, last)
        sketch.add("batch_norm")
        sketch.add("activation", "leaky_relu")
        size //= 2
        last = sketch.add("maxpool", "2×2, stride 2", shape=(filters, size, size))
    return last


def inception() -> Graph:
    """Four branches side by side, twice."""
    sketch = Sketch("Inception")
    last = sketch.input("image", (192, 28, 28))
    for _ in range(2):
        one = sketch.conv(64, last, kernel=1)
        sketch.conv(96, last, kernel=1)
        three = sketch.conv(128)
        sketch.conv(16, last, kernel=1)
        sketch.conv(16)
        five = sketch.conv(32, kernel=5)
        sketch.add("maxpool", "3×3, stride 1", last)
        pool = sketch.conv(32, kernel=1)
        last = sketch.add("combine_concat", "", one, three, five, pool, shape=(256, 28, 28))
    return sketch.graph()


def repeats() -> Graph:
    """A template repeated, with a skip from its input, and a plain block repeated."""
    sketch = Sketch("Generator")
    last = sketch.input("noise", (64, 32, 32))
    for turn in range(16):
        with sketch.use(f"trunk.{turn}", "residual_sr", turn, 16):
            before = last
            sketch.conv(64, before)
            sketch.add("prelu")
            sketch.conv(64)
            last = sketch.add("combine_add", "", len(sketch.nodes) - 1, before)
    for turn in range(3):
        with sketch.use(f"1.{turn}", "convolutional", turn, 3):
            sketch.conv(64)
    return sketch.graph()


def nested_repeats() -> Graph:
    """A repeated template that repeats another one in itself, and then adds."""
    sketch = Sketch("Nested")
    last = sketch.input("noise", (64, 32, 32))
    for outer in range(3):
        with sketch.use(f"group.{outer}", "residual_group", outer, 3):
            before = last
            for inner in range(4):
                with sketch.use(f"group.{outer}.body.{inner}", "residual_block", inner, 4):
                    around = last
                    sketch.conv(64, around)
                    sketch.conv(64, kernel=1)
                    last = sketch.add("combine_add", "", len(sketch.nodes) - 1, around)
            last = sketch.add("combine_add", "", last, before)
    return sketch.graph()


def taps() -> Graph:
    """A backbone with several ports, each taken to a size and concatenated."""
    sketch = Sketch("Taps")
    sketch.input("image", (3, 224, 224))
    ports = {
        "layer1": (256, 56, 56),
        "layer2": (512, 28, 28),
        "layer3": (1024, 14, 14),
        "layer4": (2048, 7, 7),
    }
    backbone = sketch.add(
        "resnet50", "imagenet", ports=ports, name="backbone", parameters=23_508_032, trainable=0
    )
    heads = [sketch.conv(64, (backbone, port), kernel=1, name=f"from_{port}") for port in ports]
    sketch.add("combine_concat", "", *heads, shape=(256, 56, 56))
    sketch.conv(12, kernel=1, name="heatmaps")
    return sketch.graph()


def gates(ports: int = 2) -> Graph:
    """A block with a long text whose ports are read by blocks in a row, the first of which reads what it reads too."""
    sketch = Sketch("Gates")
    sketch.input("clip", (8, 3, 64, 64))
    features = sketch.add("connected", "512", shape=(8, 512), name="features")
    shapes = {"value": (512,)} | {f"gates{port}": (8,) for port in range(1, ports)}
    sketch.add("flow_fusion", "attention over frames with sigmoid gates", ports=shapes, name="alpha")
    alpha = len(sketch.nodes) - 1
    sketch.add("combine_concat", "", features, (alpha, "value"), shape=(8, 1024))
    for port in list(shapes)[1:]:
        sketch.add("combine_add", "", len(sketch.nodes) - 1, (alpha, port), shape=(1024,))
    sketch.add("connected", "7", shape=(7,))
    return sketch.graph()


def two_way_template() -> Graph:
    """A template that takes two signals and gives two; a frame in a frame."""
    sketch = Sketch("Gate")
    image, mask = sketch.input("image", (3, 64, 64)), sketch.input("mask", (1, 64, 64))
    with sketch.use("gate", "attention_gate"):
        with sketch.use("gate.features", "double_convolution"):
            sketch.conv(16, image, name="a")
            features = sketch.conv(16, name="b")
        weights = sketch.conv(16, mask, kernel=1, name="weights")
        gated = sketch.add("combine_multiply", "", features, weights)
    sketch.conv(8, gated, name="head")
    last = sketch.add("combine_add", "", len(sketch.nodes) - 1, mask)
    return sketch.graph(picture=last, attention=weights)


def dense(depth: int = 6) -> Graph:
    """Each block reads all before it."""
    sketch = Sketch("Dense")
    before = [sketch.input()]
    for turn in range(depth):
        sketch.add("combine_concat", "", *before, shape=(16 * (turn + 1), 64, 64))
        before.append(sketch.conv(16))
    return sketch.graph()


def odd_texts() -> Graph:
    sketch = Sketch('<Ünet & "Söhne">')
    sketch.input("bild", (3, 64, 64))
    sketch.conv(8, name="schön<&>'\"名前\x07")
    sketch.conv(8, name="a_name_that_goes_on_and_on_" * 8)
    return sketch.graph()


ALL = {
    "vgg16": vgg16,
    "resnet18": resnet18,
    "resnet18_flat": lambda: resnet18(templates=False),
    "unet": unet,
    "two_streams": two_streams,
    "two_streams_templates": lambda: two_streams(templates=True),
    "inception": inception,
    "repeats": repeats,
    "nested_repeats": nested_repeats,
    "taps": taps,
    "gates": gates,
    "many_gates": lambda: gates(4),
    "two_way_template": two_way_template,
    "dense": dense,
    "odd_texts": odd_texts,
}
