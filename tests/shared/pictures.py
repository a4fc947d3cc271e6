"""Pictures that tests make, plain and hostile, and taking the results apart."""

import io
import struct
import zlib
from functools import cache

from PIL import ExifTags, Image, ImageCms, PngImagePlugin

# What a camera, a phone or an editor may have written down. None of it may become public.
SECRETS = (b"SecretCam", b"SERIAL-12345", b"Ann Lee", b"secret")


def encoded(image: Image.Image, form: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def quarters(width: int = 64, height: int = 48) -> Image.Image:
    """Red, green over blue, yellow: no turn or mirror of it looks like another."""
    image = Image.new("RGB", (width, height), "red")
    half = (width // 2, height // 2)
    image.paste("lime", (half[0], 0, width, half[1]))
    image.paste("blue", (0, half[1], half[0], height))
    image.paste("yellow", (half[0], half[1], width, height))
    return image


def camera_notes() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SecretCam"
    exif[ExifTags.Base.Artist] = "Ann Lee"
    exif[ExifTags.Base.DateTime] = "2020:01:01 00:00:00"
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.DateTimeOriginal] = "2013:09:08 10:11:12"
    details[ExifTags.Base.BodySerialNumber] = "SERIAL-12345"
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = "N", (41.0, 7.0, 30.0)
    gps[ExifTags.GPS.GPSLongitudeRef], gps[ExifTags.GPS.GPSLongitude] = "W", (121.0, 8.0, 24.0)
    return exif


def profile(*, is_odd: bool = False) -> bytes:
    """A colour profile: sRGB's, or one in which red and green have changed places."""
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    if not is_odd:
        return plain
    return plain.replace(b"rXYZ", b"____").replace(b"gXYZ", b"rXYZ").replace(b"____", b"gXYZ")


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_header_of(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG that says its size and holds next to nothing."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    end = png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + end


@cache
def talkative() -> dict[str, bytes]:
    """By file name, pictures that tell all that their format can tell, with a profile and without:
    what is converted on the way may lose by chance what a plain picture would pass on.
    """
    exif, picture = camera_notes(), quarters(500, 400)
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "secret comment")
    text.add_text("Author", "Ann Lee", zip=True)
    text.add_itxt("XML:com.adobe.xmp", "<x>secret-xmp</x>")
    xmp, both = b"<x>secret-xmp</x>", [quarters(64, 48), quarters(64, 48)]
    forms = {
        "jpg": ("JPEG", {"exif": exif, "comment": b"secret comment", "xmp": xmp}),
        "png": ("PNG", {"exif": exif, "pnginfo": text}),
        "webp": ("WEBP", {"exif": exif, "xmp": xmp}),
        "avif": ("AVIF", {"exif": exif, "xmp": xmp, "speed": 10}),
        "heic": ("HEIF", {"exif": exif.tobytes(), "xmp": xmp}),
        "tiff": ("TIFF", {"exif": exif.tobytes()}),
        "mpo": ("MPO", {"exif": exif, "save_all": True, "append_images": both}),
    }
    files = {"comment.gif": encoded(picture, "GIF", comment=b"secret comment")}
    for suffix, (form, options) in forms.items():
        files[f"plain.{suffix}"] = encoded(picture, form, **options)
        files[f"profile.{suffix}"] = encoded(picture, form, icc_profile=profile(), **options)
    jpeg = files["plain.jpg"]
    photoshop = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0e\x1c\x02\x50\0\x07Ann Lee\0\0"
    thumbnail = encoded(picture.resize((160, 120)), "JPEG", comment=b"secret thumbnail")
    for name, marker, body in (
        ("photoshop.jpg", b"\xff\xed", photoshop), ("thumbnail.jpg", b"\xff\xe3", thumbnail),
    ):  # fmt: skip
        files[name] = jpeg[:2] + marker + struct.pack(">H", len(body) + 2) + body + jpeg[2:]
    files["trailing.jpg"] = jpeg + thumbnail + b"PK\x03\x04 secret <script>alert(1)</script>"
    return files
