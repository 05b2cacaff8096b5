"""The ResNet of the bottom-up-attention detector: its stem and its stages, each of torchvision's bottlenecks."""

from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.resnet import Bottleneck
from torchvision.ops import FrozenBatchNorm2d

from reranksmart.regions.detectors.visual_genome_settings import BLOCKS, VisualGenomeSettings


class ResNetBackbone(nn.Module):
    """The stem and stages two to four of a ResNet."""

    def __init__(self, settings: VisualGenomeSettings) -> None:
        super().__init__()
        self.stem = _Stem(settings)
        inputs, outputs = settings.stem_channels, settings.stage_channels
        for number, blocks in enumerate(BLOCKS[settings.depth], start=2):
            stage = resnet_stage(settings, inputs, outputs, blocks=blocks, stride=1 if number == 2 else 2)
            self.add_module(f"res{number}", stage)
            inputs, outputs = outputs, 2 * outputs

    def forward(self, picture: Tensor) -> Tensor:
        for layer in self.children():
            picture = layer(picture)
        return picture


class _Stem(nn.Module):
    def __init__(self, settings: VisualGenomeSettings) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, settings.stem_channels, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = FrozenBatchNorm2d(settings.stem_channels)
        self.ceil_pool = settings.ceil_pool

    def forward(self, picture: Tensor) -> Tensor:
        found = self.bn1(self.conv1(picture)).relu()
        return functional.max_pool2d(found, 3, 2, padding=0 if self.ceil_pool else 1, ceil_mode=self.ceil_pool)


def resnet_stage(
    settings: VisualGenomeSettings, inputs: int, outputs: int, *, blocks: int, stride: int
) -> nn.Sequential:
    """Bottlenecks of torchvision; its strides sit in the 3 x 3 convolutions, Caffe's in the first 1 x 1."""
    planes = outputs // Bottleneck.expansion
    width = settings.bottleneck_channels * outputs // settings.stage_channels
    made = []
    for number in range(blocks):
        first = stride if number == 0 else 1
        shortcut = None
        if inputs != outputs:
            shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, kernel_size=1, stride=first, bias=False), FrozenBatchNorm2d(outputs)
            )
        block = Bottleneck(
            inputs, planes, first, shortcut, base_width=64 * width / planes, norm_layer=FrozenBatchNorm2d
        )
        if settings.stride_in_1x1:
            block.conv1.stride, block.conv2.stride = (first, first), (1, 1)
        made.append(block)
        inputs = outputs
    return nn.Sequential(*made)
