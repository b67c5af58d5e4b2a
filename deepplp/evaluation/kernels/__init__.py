"""The walks over a circuit: on the CPU, in Triton, and in torch operations as the reference."""
