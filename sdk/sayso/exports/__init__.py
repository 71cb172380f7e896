"""What Sayso holds, in the words of outside formats: one short file per format, pure."""
