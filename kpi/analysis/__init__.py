"""What figures say: signal or noise, and the weekly review. Results in, plain values out."""
