"""What a build writes besides relations: manifest, results, compiled SQL, and the run history."""
