"""The stages: plain functions that read, call the core, and write. Hydra calls them with the configuration's values."""
