"""The whole of Darkroom on one machine, without containers: for trying it out, for developing, and for its tests."""
