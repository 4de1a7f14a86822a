"""Instructions of every operation on every core: counted on emulated boards, fitted to what the loops do."""
