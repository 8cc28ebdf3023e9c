"""One script per version, each written once and never changed afterwards."""
