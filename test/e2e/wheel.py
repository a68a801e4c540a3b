"""Makes a wheel without network or build tools: a wheel is a zip file. Usage: [WHEEL_MODULE=text of NAME.py] wheel.py NAME VERSION FOLDER [REQUIREMENT…]"""
import os, sys, zipfile
from pathlib import Path

name, version, folder, *requires = sys.argv[1:]
info = f"{name}-{version}.dist-info"
files = {
    f"{name}.py": os.environ.get("WHEEL_MODULE", f"def main():\n    print('{name} {version}')\n"),
    f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    + "".join(f"Requires-Dist: {each}\n" for each in requires),
    f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
}
files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
Path(folder).mkdir(parents=True, exist_ok=True)
with zipfile.ZipFile(Path(folder, f"{name}-{version}-py3-none-any.whl"), "w") as wheel:
    for path, text in files.items():
        wheel.writestr(path, text)
