package parallel

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestInOrderFoldsInOrder: where there are several workers, the first image ends when nearly all others have.
func TestInOrderFoldsInOrder(t *testing.T) {
	const images = 60
	for _, threads := range []int{1, 2, 7, 0} {
		last := make(chan struct{})
		var workers int
		newTask := func() Task[int] {
			workers++
			return func(i int) (int, error) {
				switch {
				case i == 0 && Workers(threads, images) > 1:
					<-last
				case i == images-1:
					close(last)
				}
				return i * i, nil
			}
		}
		var got []int
		fold := func(i, r int) {
			require.Equal(t, len(got), i)
			got = append(got, r)
		}
		require.NoError(t, InOrder(context.Background(), images, threads, newTask, fold))
		require.Len(t, got, images)
		for i, v := range got {
			require.Equal(t, i*i, v)
		}
		require.Equal(t, Workers(threads, images), workers)
	}
}

func TestInOrderGivesTheFirstError(t *testing.T) {
	for range 20 {
		folded := 0
		// Of the images 0 to 8 three at most are under way when a fourth worker begins image 9, and so one of 6, 7 and 8
		// has failed.
		later := make(chan struct{})
		newTask := func() Task[int] {
			return func(i int) (int, error) {
				switch {
				case i == 5:
					<-later
				case i == 9:
					close(later)
				}
				if i >= 5 {
					return 0, fmt.Errorf("image %d", i)
				}
				return 0, nil
			}
		}
		err := InOrder(context.Background(), 1000, 4, newTask, func(int, int) { folded++ })
		require.EqualError(t, err, "image 5")
		require.Equal(t, 5, folded)
	}
}

func TestInOrderStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var begun atomic.Int64
	newTask := func() Task[int] {
		return func(i int) (int, error) {
			switch n := begun.Add(1); {
			case n == 4:
				cancel()
			case n > 4:
				<-ctx.Done()
			}
			return 0, nil
		}
	}
	err := InOrder(ctx, 1000000, 2, newTask, func(int, int) {})
	require.ErrorIs(t, err, context.Canceled)
	require.LessOrEqual(t, begun.Load(), int64(5))

	late, stop := context.WithDeadline(context.Background(), time.Time{})
	defer stop()
	err = InOrder(late, 3, 1, newTask, func(int, int) { t.Error("nothing may run") })
	require.True(t, errors.Is(err, context.DeadlineExceeded))
}

func TestFor(t *testing.T) {
	for _, n := range []int{0, 1, 100} {
		seen := make([]atomic.Int64, n)
		For(n, 3, func(i int) { seen[i].Add(1) })
		for i := range seen {
			require.EqualValues(t, 1, seen[i].Load())
		}
	}
}
