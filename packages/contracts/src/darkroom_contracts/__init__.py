"""The vocabulary that Darkroom's services share: names, messages, states, operations and key layout.

Standard library only, and no IO: every service may import all of it at no cost.
"""
