"""The start set: a program that only imports what a small tool imports."""
import argparse, asyncio, dataclasses, decimal, email.message, http.client  # noqa: E401,F401
import json, logging, pathlib, sqlite3, subprocess, tempfile, typing        # noqa: E401,F401
import unittest, urllib.request, xml.etree.ElementTree                      # noqa: E401,F401
