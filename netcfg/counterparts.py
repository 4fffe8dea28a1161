"""What PyTorch and Keras call each section: the one table of it, for pages and for words that are looked up.

A class of PyTorch's is written as one imports it, `nn` and `F` as everyone shortens them. Keras stands beside it where
its word is another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Counterpart(NamedTuple):
    """Names of one thing elsewhere, the nearest first; `otherwise` is how PyTorch does it where it has no name."""

    pytorch: str = ""
    keras: str = ""
    otherwise: str = ""

    def sentence(self) -> str:
        """The line of a page."""
        parts = []
        if self.pytorch or self.otherwise:
            parts.append(f"PyTorch: {self.otherwise or _quoted(self.pytorch)}")
        if self.keras:
            parts.append(f"Keras: {_quoted(self.keras)}")
        return "; ".join(parts) + "." if parts else "Neither PyTorch nor Keras has it."

    def words(self) -> Iterator[str]:
        """Its names, without the modules they are in."""
        for name in (*self.pytorch.split(), *self.keras.split()):
            yield name.rpartition(".")[2]


def _quoted(names: str) -> str:
    return ", ".join(f"`{name}`" for name in names.split())


def _along_axes(name: str, keras: str = "") -> Counterpart:
    """A class that PyTorch and Keras have once for each number of axes."""
    numbers = (2, 1, 3)
    return Counterpart(
        " ".join(f"nn.{name}{number}d" for number in numbers),
        " ".join(keras.format(f"{number}D") for number in numbers) if keras else "",
    )


_NETWORK = {
    "net": Counterpart(otherwise="the network's class, an `nn.Module`"),
    "input": Counterpart(keras="Input", otherwise="an argument of `forward`"),
    "output": Counterpart(otherwise="what `forward` returns"),
    "convolutional": _along_axes("Conv"),
    "deconvolutional": _along_axes("ConvTranspose", "Conv{}Transpose"),
    "modulated_convolutional": Counterpart(otherwise="StyleGAN2's own code"),
    "blur": Counterpart(otherwise="`kornia.filters.filter2d_separable`, or StyleGAN2's own `upfirdn2d`"),
    "minibatch_std": Counterpart(otherwise="StyleGAN2's own code, in its discriminator"),
    "fir_upsample": Counterpart(otherwise="StyleGAN2's own code, `upfirdn2d`"),
    "connected": Counterpart("nn.Linear", "Dense"),
    "activation": Counterpart(otherwise="a class a function: `nn.ReLU`, `nn.GELU`, …", keras="Activation"),
    "prelu": Counterpart("nn.PReLU"),
    "softmax": Counterpart("nn.Softmax"),
    "batch_norm": _along_axes("BatchNorm")._replace(keras="BatchNormalization"),
    "instance_norm": _along_axes("InstanceNorm"),
    "group_norm": Counterpart("nn.GroupNorm", "GroupNormalization"),
    "layer_norm": Counterpart("nn.LayerNorm", "LayerNormalization"),
    "rms_norm": Counterpart("nn.RMSNorm", "RMSNormalization"),
    "local_response_norm": Counterpart("nn.LocalResponseNorm"),
    "pixel_norm": Counterpart(otherwise="`F.rms_norm` over the channels"),
    "l2_norm": Counterpart("F.normalize", "UnitNormalization"),
    "scale": Counterpart(otherwise="an `nn.Parameter` times the signal", keras="Rescaling"),
    "maxpool": _along_axes("MaxPool", "MaxPooling{}"),
    "avgpool": _along_axes("AvgPool", "AveragePooling{}"),
    "adaptive_avgpool": _along_axes("AdaptiveAvgPool", "AdaptiveAveragePooling{}"),
    "adaptive_maxpool": _along_axes("AdaptiveMaxPool", "AdaptiveMaxPooling{}"),
    "global_avgpool": Counterpart(
        otherwise="`nn.AdaptiveAvgPool2d(1)`, then `torch.flatten`", keras="GlobalAveragePooling2D"
    ),
    "global_maxpool": Counterpart(
        otherwise="`nn.AdaptiveMaxPool2d(1)`, then `torch.flatten`", keras="GlobalMaxPooling2D"
    ),
    "reduce": Counterpart("torch.mean torch.amax torch.amin torch.std torch.logsumexp"),
    "upsample": Counterpart("nn.Upsample F.interpolate", "UpSampling2D Resizing"),
    "pixel_shuffle": Counterpart("nn.PixelShuffle"),
    "pixel_unshuffle": Counterpart("nn.PixelUnshuffle"),
    "pad": Counterpart("F.pad nn.ZeroPad2d nn.ReflectionPad2d", "ZeroPadding2D"),
    "crop": Counterpart(otherwise="a slice, `x[:, :, 1:-1, 1:-1]`", keras="Cropping2D"),
    "patches": Counterpart(otherwise="slices, as in torchvision's `PatchMerging`"),
    "grid_sample": Counterpart("F.grid_sample"),
    "spatial_transformer": Counterpart(otherwise="`F.affine_grid`, then `F.grid_sample`"),
    "combine_add": Counterpart("torch.add", "Add"),
    "combine_subtract": Counterpart("torch.sub", "Subtract"),
    "combine_multiply": Counterpart("torch.mul", "Multiply"),
    "combine_max": Counterpart("torch.maximum", "Maximum"),
    "combine_mean": Counterpart(otherwise="`torch.stack`, then `torch.mean`", keras="Average"),
    "combine_concat": Counterpart("torch.cat", "Concatenate"),
    "stack": Counterpart("torch.stack"),
    "formula": Counterpart(otherwise="a line of `forward`", keras="Lambda"),
    "flow_fusion": Counterpart(),
    "tokens": Counterpart(otherwise="`x.flatten(2).transpose(1, 2)`"),
    "image_of_tokens": Counterpart(otherwise="`x.transpose(1, 2).unflatten(2, (height, width))`"),
    "class_token": Counterpart(otherwise="an `nn.Parameter`, joined by `torch.cat`"),
    "keep_tokens": Counterpart(otherwise="`topk` and `torch.gather`"),
    "put_tokens": Counterpart(otherwise="`torch.scatter`"),
    "positions": Counterpart(otherwise="an `nn.Parameter` that is added"),
    "embedding": Counterpart("nn.Embedding"),
    "self_attention": Counterpart("nn.MultiheadAttention F.scaled_dot_product_attention"),
    "cross_attention": Counterpart("nn.MultiheadAttention F.scaled_dot_product_attention"),
    "window_attention": Counterpart(otherwise="torchvision's `ShiftedWindowAttention`"),
    "lstm": Counterpart("nn.LSTM"),
    "gru": Counterpart("nn.GRU"),
    "rnn": Counterpart("nn.RNN", "SimpleRNN"),
    "frame_mean": Counterpart(otherwise="`x.mean(1)`, where no clip is filled up"),
    "frame_max": Counterpart(otherwise="`x.amax(1)`, where no clip is filled up"),
    "frame": Counterpart(otherwise="`x[:, index]`, where no clip is filled up"),
    "frame_attention": Counterpart(),
    "flatten": Counterpart("nn.Flatten"),
    "reshape": Counterpart("torch.reshape nn.Unflatten"),
    "permute": Counterpart("torch.permute torch.transpose"),
    "unsqueeze": Counterpart("torch.unsqueeze"),
    "squeeze": Counterpart("torch.squeeze"),
    "roll": Counterpart("torch.roll"),
    "channel_shuffle": Counterpart("nn.ChannelShuffle"),
    "token": Counterpart("torch.select"),
    "select_subset": Counterpart("torch.narrow"),
    "route": Counterpart(otherwise="a variable of `forward` that is read again"),
    "identity": Counterpart("nn.Identity"),
    "constant": Counterpart("nn.Buffer"),
    "parameter": Counterpart("nn.Parameter"),
    "random": Counterpart("torch.randn torch.rand torch.bernoulli torch.randperm"),
    "gradient": Counterpart("torch.autograd.grad"),
    "queue": Counterpart(otherwise="a buffer that a training loop writes"),
    "running_mean": Counterpart(otherwise="a buffer that a training loop writes"),
    "pool": Counterpart(otherwise="CycleGAN's own code"),
    "vector_quantise": Counterpart(otherwise="`torch.cdist`, `argmin` and an embedding"),
    "similarity": Counterpart("F.linear torch.bmm", "layers.Dot"),
    "dropout": Counterpart("nn.Dropout"),
    "drop_channels": _along_axes("Dropout", "SpatialDropout{}"),
    "stochastic_depth": Counterpart("torchvision.ops.StochasticDepth"),
    "detach": Counterpart("torch.Tensor.detach", "ops.stop_gradient"),
    "reverse_gradient": Counterpart(otherwise="a `torch.autograd.Function` of one's own"),
    "straight_through": Counterpart(otherwise="`x + (rounded - x).detach()`"),
    "shuffle_batch": Counterpart(otherwise="`x[torch.randperm(len(x))]`"),
    "resnet50": Counterpart("torchvision.models.resnet50"),
    "vgg-face": Counterpart(),
    "module": Counterpart(otherwise="any `nn.Module`"),
    "backbone": Counterpart("torchvision.models.feature_extraction.create_feature_extractor"),
}
_DATA = {
    "audetnet_folder": Counterpart(otherwise="a `Dataset` of one's own"),
    "affectnet": Counterpart(otherwise="a `Dataset` of one's own"),
    "image_pairs": Counterpart(otherwise="a `Dataset` that opens two files of one name"),
    "unpaired_images": Counterpart(otherwise="CycleGAN's `UnalignedDataset`"),
    "arrays": Counterpart(
        "torch.utils.data.TensorDataset", otherwise="`TensorDataset` of what `numpy.load` gives"
    ),
    "torchvision": Counterpart(otherwise="a class of `torchvision.datasets`"),
    "image_list": Counterpart(otherwise="a `Dataset` over the rows of a table"),
    "image_folder": Counterpart("torchvision.datasets.ImageFolder", "image_dataset_from_directory"),
    "bp4d": Counterpart(otherwise="a `Dataset` of one's own"),
    "clip_folder": Counterpart("torchvision.datasets.DatasetFolder"),
    "sample_frames": Counterpart(otherwise="indices of a clip's frames"),
    "bu_3dfe": Counterpart(otherwise="a `Dataset` of one's own"),
    "ck_plus": Counterpart(otherwise="a `Dataset` of one's own"),
    "clips": Counterpart(otherwise="a `Dataset` of one's own"),
    "disfa": Counterpart(otherwise="a `Dataset` of one's own"),
    "synthetic_faces": Counterpart(),
    "brightness": Counterpart(otherwise="`v2.ColorJitter(brightness=…)`", keras="RandomBrightness"),
    "color_jitter": Counterpart("v2.ColorJitter", "RandomColorJitter"),
    "resize": Counterpart("v2.Resize", "Resizing"),
    "horizontal_flip": Counterpart("v2.RandomHorizontalFlip", "RandomFlip"),
    "random_crop": Counterpart("v2.RandomCrop", "RandomCrop"),
    "random_resized_crop": Counterpart("v2.RandomResizedCrop"),
    "center_crop": Counterpart("v2.CenterCrop", "CenterCrop"),
    "rotate": Counterpart("v2.RandomRotation", "RandomRotation"),
    "affine": Counterpart("v2.RandomAffine", "RandomTranslation RandomZoom RandomShear"),
    "perspective": Counterpart("v2.RandomPerspective", "RandomPerspective"),
    "elastic": Counterpart("v2.ElasticTransform", "RandomElasticTransform"),
    "gaussian_blur": Counterpart("v2.GaussianBlur", "RandomGaussianBlur"),
    "grayscale": Counterpart("v2.RandomGrayscale", "RandomGrayscale"),
    "solarize": Counterpart("v2.RandomSolarize", "Solarization"),
    "posterize": Counterpart("v2.RandomPosterize", "RandomPosterization"),
    "equalize": Counterpart("v2.RandomEqualize", "Equalization"),
    "random_erasing": Counterpart("v2.RandomErasing", "RandomErasing"),
    "rand_augment": Counterpart("v2.RandAugment", "RandAugment"),
    "trivial_augment": Counterpart("v2.TrivialAugmentWide"),
    "auto_augment": Counterpart("v2.AutoAugment"),
    "mixup": Counterpart("v2.MixUp", "MixUp"),
    "cutmix": Counterpart("v2.CutMix", "CutMix"),
    "copy": Counterpart(otherwise="a line in a `Dataset` of one's own"),
    "views": Counterpart(otherwise="a `Dataset` of one's own that calls its transform twice"),
    "noise": Counterpart("v2.GaussianNoise"),
    "align_face": Counterpart(otherwise="`cv2.warpAffine` by a matrix of one's own"),
    "subset": Counterpart("torch.utils.data.Subset"),
    "leave_out": Counterpart(otherwise="a `Dataset` of one's own that returns less"),
    "joined": Counterpart("torch.utils.data.ConcatDataset"),
    "match_labels": Counterpart(otherwise="`labels[:, order]`"),
    "heatmaps": Counterpart(otherwise="`torch.exp` of distances to key points"),
    "over_background": Counterpart(),
    "poor_picture": Counterpart(),
    "normalise": Counterpart("v2.Normalize", "Normalization"),
    "optical_flow": Counterpart(),
    "momu": Counterpart(otherwise="a `Sampler` of one's own"),
    "oversample": Counterpart("WeightedRandomSampler"),
    "balanced": Counterpart("WeightedRandomSampler"),
    "weighted": Counterpart("WeightedRandomSampler"),
    "batches_of": Counterpart(otherwise="a `BatchSampler` of one's own"),
    "shuffle_within": Counterpart(otherwise="a `Sampler` of one's own"),
}
_LOSS = {
    "arcface": Counterpart(otherwise="`F.linear` of normalised vectors, a margin, `F.cross_entropy`"),
    "center": Counterpart(otherwise="an `nn.Embedding` of centres, a squared distance"),
    "uncertainty": Counterpart(otherwise="an `nn.Parameter` for each loss"),
    "adversarial": Counterpart(otherwise="`F.softplus`, `F.relu` or `F.mse_loss` of scores"),
    "bce_with_logits": Counterpart("nn.BCEWithLogitsLoss", "BinaryCrossentropy"),
    "ccc": Counterpart(
        otherwise="a formula; torchmetrics' `ConcordanceCorrCoef` is the figure",
        keras="ConcordanceCorrelation",
    ),
    "contrastive": Counterpart(otherwise="`torch.cdist`, then a formula"),
    "cosine_embedding": Counterpart("nn.CosineEmbeddingLoss", "CosineSimilarity"),
    "cross_entropy": Counterpart("nn.CrossEntropyLoss", "SparseCategoricalCrossentropy"),
    "dice": Counterpart(otherwise="a formula of `F.softmax`", keras="Dice"),
    "distillation": Counterpart(otherwise="`F.kl_div` of logits over a temperature"),
    "focal": Counterpart(
        "torchvision.ops.sigmoid_focal_loss", "CategoricalFocalCrossentropy BinaryFocalCrossentropy"
    ),
    "gaussian_nll": Counterpart("nn.GaussianNLLLoss"),
    "gradient_penalty": Counterpart(otherwise="`torch.autograd.grad`, then its norm"),
    "huber": Counterpart("nn.HuberLoss", "Huber"),
    "jaccard": Counterpart(otherwise="a formula of `F.softmax`"),
    "kl_divergence": Counterpart("nn.KLDivLoss", "KLDivergence"),
    "kl_normal": Counterpart("torch.distributions.kl_divergence"),
    "l1": Counterpart("nn.L1Loss", "MeanAbsoluteError"),
    "mean": Counterpart("torch.mean"),
    "gaussian_mixture": Counterpart(),
    "norm": Counterpart("torch.norm"),
    "mse": Counterpart("nn.MSELoss", "MeanSquaredError"),
    "nll": Counterpart("nn.NLLLoss"),
    "nt_xent": Counterpart(otherwise="`F.cross_entropy` of cosines"),
    "perceptual": Counterpart(otherwise="features of `torchvision.models.vgg16`, then `F.mse_loss`"),
    "smooth_l1": Counterpart("nn.SmoothL1Loss"),
    "ssim": Counterpart(otherwise="torchmetrics' `StructuralSimilarityIndexMeasure`"),
    "total_variation": Counterpart(otherwise="`torch.diff` along both sides"),
    "triplet": Counterpart("nn.TripletMarginLoss"),
    "tversky": Counterpart(otherwise="a formula of `F.softmax`", keras="Tversky"),
}
_OPTIMIZER = {
    "adadelta": Counterpart("optim.Adadelta"),
    "adafactor": Counterpart("optim.Adafactor"),
    "adagrad": Counterpart("optim.Adagrad"),
    "adam": Counterpart("optim.Adam"),
    "adamax": Counterpart("optim.Adamax"),
    "adamw": Counterpart("optim.AdamW"),
    "muon": Counterpart("optim.Muon"),
    "nadam": Counterpart("optim.NAdam", "Nadam"),
    "radam": Counterpart("optim.RAdam"),
    "rmsprop": Counterpart("optim.RMSprop"),
    "sgd": Counterpart("optim.SGD"),
    "again": Counterpart(otherwise="`optimizer.step()` once more"),
    "moving_average": Counterpart("optim.swa_utils.AveragedModel"),
    "constant": Counterpart(otherwise="no scheduler"),
    "linear": Counterpart("lr_scheduler.LinearLR"),
    "step": Counterpart("lr_scheduler.StepLR"),
    "multistep": Counterpart("lr_scheduler.MultiStepLR", "PiecewiseConstantDecay"),
    "cosine": Counterpart("lr_scheduler.CosineAnnealingLR", "CosineDecay"),
    "exponential": Counterpart("lr_scheduler.ExponentialLR", "ExponentialDecay"),
    "cosine_restarts": Counterpart("lr_scheduler.CosineAnnealingWarmRestarts", "CosineDecayRestarts"),
    "inverse_square_root": Counterpart(otherwise="`lr_scheduler.LambdaLR` of a formula"),
    "one_cycle": Counterpart("lr_scheduler.OneCycleLR"),
    "plateau": Counterpart("lr_scheduler.ReduceLROnPlateau"),
    "polynomial": Counterpart("lr_scheduler.PolynomialLR", "PolynomialDecay"),
    "schedule": Counterpart(otherwise="a number that the loop sets", keras="LearningRateScheduler"),
}
_METRIC = {
    "accuracy": Counterpart("torchmetrics.Accuracy"),
    "two_afc": Counterpart(),
    "auc": Counterpart("torchmetrics.AUROC", "AUC"),
    "average_precision": Counterpart("torchmetrics.AveragePrecision"),
    "calibration_error": Counterpart("torchmetrics.CalibrationError"),
    "ccc": Counterpart("torchmetrics.ConcordanceCorrCoef"),
    "confusion_matrix": Counterpart("torchmetrics.ConfusionMatrix"),
    "dice": Counterpart("torchmetrics.segmentation.DiceScore"),
    "emd_bound": Counterpart(),
    "f1": Counterpart("torchmetrics.F1Score"),
    "frechet_distance": Counterpart("torchmetrics.image.FrechetInceptionDistance"),
    "icc": Counterpart(),
    "iou": Counterpart("torchmetrics.JaccardIndex", "MeanIoU"),
    "knn_accuracy": Counterpart(),
    "mae": Counterpart("torchmetrics.MeanAbsoluteError", "MeanAbsoluteError"),
    "mse": Counterpart("torchmetrics.MeanSquaredError", "MeanSquaredError"),
    "pearson": Counterpart("torchmetrics.PearsonCorrCoef"),
    "psnr": Counterpart("torchmetrics.PeakSignalNoiseRatio"),
    "precision": Counterpart("torchmetrics.Precision", "Precision"),
    "recall": Counterpart("torchmetrics.Recall", "Recall"),
    "r2": Counterpart("torchmetrics.R2Score", "R2Score"),
    "retrieval": Counterpart("torchmetrics.RetrievalMAP"),
    "rmse": Counterpart("torchmetrics.MeanSquaredError", "RootMeanSquaredError"),
    "ssim": Counterpart("torchmetrics.StructuralSimilarityIndexMeasure"),
    "specificity": Counterpart("torchmetrics.Specificity"),
    "top_k": Counterpart("torchmetrics.Accuracy", "SparseTopKCategoricalAccuracy"),
    "variance": Counterpart("torch.var"),
    "xcov": Counterpart(),
}
_GENERAL = {
    "training": Counterpart(otherwise="the loop that one writes", keras="Model.fit"),
    "pictures": Counterpart(otherwise="`SummaryWriter.add_images`"),
    "published": Counterpart(),
    "training_options": Counterpart(otherwise="the loop that one writes"),
    "data_options": Counterpart(otherwise="a `Dataset` of one's own"),
    "loss_options": Counterpart(otherwise="the loop that one writes"),
}
COUNTERPARTS: Mapping[str, Mapping[str, Counterpart]] = {
    "network": _NETWORK,
    "data": _DATA,
    "loss": _LOSS,
    "optimizer": _OPTIMIZER,
    "metric": _METRIC,
    "general": _GENERAL,
}
"""By group and by the name of a section (or of a schedule, among optimizers)."""
