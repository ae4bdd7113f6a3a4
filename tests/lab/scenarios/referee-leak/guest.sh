#!/bin/sh
modprobe kmemleak-test || true
