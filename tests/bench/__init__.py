"""What `make bench` measures: one module an area, one function a scene, one line a figure."""
