package main

import (
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// requireHandle expects a bad handle.
func requireHandle(t *testing.T, err error, words string) {
	t.Helper()
	var f *failure
	require.ErrorAs(t, err, &f)
	require.Equal(t, statusHandle, f.status)
	require.Contains(t, f.text, words)
}

func TestTable(t *testing.T) {
	var handles table
	nothing := func(*model) error { return nil }
	requireHandle(t, find(&handles, 0, nothing), "no model of this library")
	requireHandle(t, remove(&handles, 12345, nothing), "no model of this library")
	m, s := &model{}, &session{}
	hm, hs := handles.add(m), handles.add(s)
	require.NoError(t, find(&handles, hm, func(got *model) error { require.Same(t, m, got); return nil }))
	require.NoError(t, find(&handles, hs, func(got *session) error { require.Same(t, s, got); return nil }))
	requireHandle(t, find(&handles, hs, nothing), "the handle is a session, expected a model")
	requireHandle(t, find(&handles, hm, func(*session) error { return nil }), "the handle is a model, expected a session")
	for _, bad := range []handle{0, 1, handleBase, handleBase + 1, handleBase + 3, handleBase + 4, hm - 4, hm - 1, hm + 1, hm + 4, hs + 1, hs + 4, ^handle(0)} {
		requireHandle(t, find(&handles, bad, nothing), "no model of this library")
	}

	refused := errors.New("refused")
	require.ErrorIs(t, remove(&handles, hm, func(*model) error { return refused }), refused)
	require.NoError(t, remove(&handles, hm, nothing))
	requireHandle(t, remove(&handles, hm, nothing), "the model was closed before")
	requireHandle(t, find(&handles, hm, func(*session) error { return nil }), "the model was closed before")
	seen := map[handle]bool{hm: true, hs: true}
	for range 1000 {
		h := handles.add(m)
		require.False(t, seen[h], "%x again", h)
		require.NotZero(t, h%2)
		seen[h] = true
		require.NoError(t, remove(&handles, h, nothing))
	}
}

// TestTableClosesOnce: of many threads one closes.
func TestTableClosesOnce(t *testing.T) {
	var handles table
	for range 100 {
		h, closed := handles.add(&session{}), 0
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() { _ = remove(&handles, h, func(*session) error { closed++; return nil }) })
		}
		wait.Wait()
		require.Equal(t, 1, closed)
	}
}
