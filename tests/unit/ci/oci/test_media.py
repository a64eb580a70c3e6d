from ci.oci.media import CONFIG, LAYER, MANIFEST, Descriptor, image_manifest


def test_the_same_image_gives_the_same_manifest() -> None:
    config = Descriptor(CONFIG, "sha256:c", 3)
    layers = [Descriptor(LAYER, "sha256:l", 5)]
    first = image_manifest(config, layers, {"b": "2", "a": "1"})
    second = image_manifest(config, layers, {"a": "1", "b": "2"})
    assert first == second
    assert first.digest == second.digest
    assert first.media_type == first.data["mediaType"] == MANIFEST
    assert first.annotations == {"a": "1", "b": "2"}
    assert first.config_digest == "sha256:c"
    assert first.data["layers"] == [{"mediaType": LAYER, "digest": "sha256:l", "size": 5}]
