"""The reference server of Sayso: records choices durably, answers checks, small enough to read in an afternoon."""
