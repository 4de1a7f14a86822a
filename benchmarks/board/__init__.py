"""Instructions, bytes and bits of learning on emulated microcontrollers."""
