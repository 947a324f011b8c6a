"""The safety core of elections and claims, proved for any number of nodes, slots and epochs.

The rules stand once more in `actions`, in the language of `logic`, over the relations of
`vocabulary`. The `invariant` is read twice: by Z3, which is asked whether any action can break it
(`conditions`), and by plain Python over finite structures, which judges counterexamples and the
states that the real core reaches.
"""
