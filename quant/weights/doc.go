// Package weights reads float networks from files that people have: checkpoints, whose tensors have names in one of
// several schemes (dialects), and graphs of operators (ONNX, Torch7), whatever their names. It finds the network's form,
// folds batch normalisation into the convolutions, and reports all that is wrong in one error.
package weights
