"""Rules of consent: what is kept on which ground, and what families decided. No I/O."""
