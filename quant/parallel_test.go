package quant

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestInOrderFoldsInOrder(t *testing.T) {
	for _, threads := range []int{1, 2, 7, 0} {
		var workers int
		newTask := func() task[int] {
			workers++
			return func(i int) (int, error) {
				time.Sleep(time.Duration(i*7%5) * 100 * time.Microsecond)
				return i * i, nil
			}
		}
		var got []int
		fold := func(i, r int) {
			require.Equal(t, len(got), i)
			got = append(got, r)
		}
		require.NoError(t, inOrder(context.Background(), 30, threads, newTask, fold))
		require.Len(t, got, 30)
		for i, v := range got {
			require.Equal(t, i*i, v)
		}
		require.Equal(t, workerCount(threads, 30), workers)
	}
}

func TestInOrderGivesTheFirstError(t *testing.T) {
	for range 20 {
		folded := 0
		newTask := func() task[int] {
			return func(i int) (int, error) {
				if i == 5 {
					time.Sleep(2 * time.Millisecond) // the later errors are there before
				}
				if i >= 5 {
					return 0, fmt.Errorf("image %d", i)
				}
				return 0, nil
			}
		}
		err := inOrder(context.Background(), 1000, 4, newTask, func(int, int) { folded++ })
		require.EqualError(t, err, "image 5")
		require.Equal(t, 5, folded)
	}
}

func TestInOrderStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var begun atomic.Int64
	newTask := func() task[int] {
		return func(i int) (int, error) {
			if begun.Add(1) == 4 {
				cancel()
			}
			return 0, nil
		}
	}
	err := inOrder(ctx, 1000000, 2, newTask, func(int, int) {})
	require.ErrorIs(t, err, context.Canceled)
	require.LessOrEqual(t, begun.Load(), int64(5))

	late, stop := context.WithTimeout(context.Background(), 0)
	defer stop()
	err = inOrder(late, 3, 1, newTask, func(int, int) { t.Error("nothing may run") })
	require.True(t, errors.Is(err, context.DeadlineExceeded))
}

func TestInParallel(t *testing.T) {
	for _, n := range []int{0, 1, 100} {
		seen := make([]atomic.Int64, n)
		inParallel(n, 3, func(i int) { seen[i].Add(1) })
		for i := range seen {
			require.EqualValues(t, 1, seen[i].Load())
		}
	}
}
