import os
import sys
from pathlib import Path

# What runs in the image `slipway/aws:1` is imported from where the image gets it.
sys.path.insert(0, str(Path(__file__).parents[3] / "ci" / "supply" / "images" / "aws"))

# Nothing here starts an instance, and reading a thousand machine images per account takes longer than a test.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
