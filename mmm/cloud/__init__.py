"""`mmm doctor --cloud`: what an installation on Google Cloud has and lacks."""
