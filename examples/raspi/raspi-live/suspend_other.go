//go:build !unix

package main

import "github.com/libresnext/libresnext/examples/raspi/internal/terminal"

func sleepOnRequest(*terminal.View) {}
