"""The specification at one's fingertips: the chapters, what is tied to them, and `slotproof spec`.

Everything that reads a chapter or an `@clause` lives here. No rule of the node does, and no other
package of `reference` imports it.
"""
