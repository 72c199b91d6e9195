"""What is deployed: releases, their versions, the rendered objects and the faults that spoil them."""
