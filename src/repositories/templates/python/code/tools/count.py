# A tool that fails prints {"ok":false,"error","message"} and ends with an exit code that is not 0.
import json
import sys

sys.stdin.reconfigure(encoding="utf-8")
text = json.load(sys.stdin)["input"]["text"]
if text.strip() == "":
    print(json.dumps({"ok": False, "error": "empty_text", "message": "There is nothing to count"}))
    sys.exit(1)
print(json.dumps({"lines": text.removesuffix("\n").count("\n") + 1, "words": len(text.split())}))
