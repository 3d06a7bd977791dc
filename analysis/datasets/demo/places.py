"""Where the members of the synthetic program are: countries, regions and field offices."""

from __future__ import annotations

ENTITY_COUNTS = {
    "importer": 4139,
    "exporter": 357,
    "customs_broker": 857,
    "consolidator": 869,
    "air_carrier": 38,
    "sea_carrier": 78,
    "rail_carrier": 11,
    "highway_carrier": 2860,
    "mexican_long_haul_carrier": 430,
    "foreign_manufacturer": 1682,
    "mpto": 66,
    "third_party_logistics": 111,
}
"""Published member counts by entity type (c. 2018-20) [P in part]."""

COUNTRIES = {
    "United States": "North America",
    "Canada": "North America",
    "Mexico": "North America",
    "Guatemala": "Central America",
    "Panama": "Central America",
    "Dominican Republic": "Caribbean",
    "Colombia": "South America",
    "Brazil": "South America",
    "China": "Asia",
    "India": "Asia",
    "Vietnam": "Asia",
    "Singapore": "Asia",
    "Germany": "Europe",
    "Denmark": "Europe",
}
"""Countries of members, with their region."""

HOMES: dict[str, dict[str, float]] = {
    "importer": {"United States": 93, "Canada": 7},
    "consolidator": {"United States": 92, "Canada": 8},
    "air_carrier": {"United States": 60, "Canada": 15, "Mexico": 15, "Germany": 10},
    "rail_carrier": {"United States": 70, "Canada": 30},
    "highway_carrier": {"United States": 55, "Canada": 25, "Mexico": 20},
    "mexican_long_haul_carrier": {"Mexico": 100},
    "sea_carrier": {"United States": 30, "Panama": 20, "Colombia": 15, "Singapore": 15, "Denmark": 20},
    "mpto": {"United States": 40, "Panama": 20, "Colombia": 20, "Guatemala": 10, "Dominican Republic": 10},
    "foreign_manufacturer": {
        "Mexico": 46,
        "China": 15,
        "India": 9,
        "Vietnam": 7,
        "Guatemala": 6,
        "Colombia": 6,
        "Dominican Republic": 4,
        "Brazil": 4,
        "Germany": 3,
    },
}
"""Where members of an entity type are at home; the United States where nothing is said [A]."""

OFFICE_SHARES: dict[str, dict[str, float]] = {
    "United States": {
        "Buffalo": 17,
        "Houston": 17,
        "Los Angeles": 22,
        "Miami": 14,
        "Newark": 14,
        "New York": 16,
    },
    "Canada": {"Buffalo": 80, "New York": 20},
    "Mexico": {"Houston": 50, "Los Angeles": 35, "Miami": 15},
    "Central America": {"Miami": 80, "Houston": 20},
    "Caribbean": {"Miami": 80, "Newark": 20},
    "South America": {"Miami": 80, "Houston": 20},
    "Asia": {"Los Angeles": 70, "New York": 15, "Newark": 15},
    "Europe": {"New York": 50, "Newark": 50},
}
"""Field offices by the country, or else the region, of a member [A]."""
