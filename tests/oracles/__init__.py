"""What the package's gradients are held to: written without the package's own activations, costs and recursion."""
