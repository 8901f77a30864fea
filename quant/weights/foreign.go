package weights

import (
	"fmt"
	"strings"
)

// families are networks of other kinds, by what their tensors are called. The first match counts.
var families = []struct{ pattern, looks string }{
	{`^s\d+\.b\d+\.norm\d\.|^stages\.\d+\.blocks\.\d+\.norm\d\.`, "a network with normalisation and activation before its convolutions (ResNetV2, RegNetV)"},
	{`^layer\d+\.\d+\.conv\d\.(paths|attn)\.`, "a selective kernel network (SKNet)"},
	{`^layer\d+\.\d+\.`, "a residual network of other blocks than bottlenecks of three convolutions and basic blocks of two"},
	{`^stage\d+\.block\d+\.expand\.multiplier$`, "an int8 model that calib made; give the float checkpoint that it was made from"},
	{`denseblock`, "a DenseNet"},
	{`^(conv_stem|_conv_stem)\.`, "an EfficientNet or MobileNetV3"},
	{`^features\.\d+\.conv\.|^features\.\d+\.\d+\.`, "a MobileNet, EfficientNet or ConvNeXt of torchvision"},
	{`^features\.\d+\.(weight|bias)$`, "a VGG or AlexNet"},
	{`^stages\.\d+\.`, "a ConvNeXt, RegNet or another network of stages"},
	{`(^|\.)(patch_embed|cls_token|attn|attention|self_attn)(\.|$)`, "a transformer"},
	{`^(Mixed|Conv2d)_`, "an Inception network"},
	{`^(onnx::)?Conv_?\d+`, "an export that has lost the layers' names"},
}

// foreign explains why tensors without a single block cannot be used.
func foreign(tensors []string) error {
	const expected = "expected a network of the ResNet family, with tensors such as layer1.0.conv3.weight (torchvision, timm) or stage_1.stage_1_bottleneck_0.conv_expand.weight (CIFAR)"
	if len(tensors) == 0 {
		return fmt.Errorf("holds no tensors; %s", expected)
	}
	for _, f := range families {
		if t := firstMatch(f.pattern, tensors); t != "" {
			return fmt.Errorf("looks like %s (it has %s); %s", f.looks, t, expected)
		}
	}
	shown := tensors[:min(3, len(tensors))]
	return fmt.Errorf("no network of this family: its %d tensors begin with %s; %s", len(tensors), strings.Join(shown, ", "), expected)
}
