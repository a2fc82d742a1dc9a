"""The graph. Its folders and modules are the stages, in the order of the data."""

import warnings

import dagster as dg

# Checks per partition are a preview in Dagster 1.13, and the only way to see the check of a day.
warnings.filterwarnings("ignore", category=dg.PreviewWarning, message=".*AssetCheckSpec")
