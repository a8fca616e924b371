# A tool gets one line of JSON on standard input, {"tool","input","metadata"}; what it prints is its answer.
import json
import sys

sys.stdin.reconfigure(encoding="utf-8")
sys.stdout.reconfigure(encoding="utf-8")
arguments = json.load(sys.stdin)["input"]
print("Hello, " + arguments["name"] + "! I am {{name}}.")
