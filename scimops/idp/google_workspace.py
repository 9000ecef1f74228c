"""Google Workspace."""

from scimops.attributes import ENTERPRISE
from scimops.idp.shape import Active, IdentityProvider, Shape

IDP = IdentityProvider(
    name="google_workspace",
    title="Google Workspace",
    sources=("https://support.google.com/a/answer/7348070",),
    changing_ids={
        "Email Address [Required]": "Google's download has no immutable id; a renamed address is a new person."
    },
)

DOWNLOAD = Shape(
    name="google_workspace_download",
    idp="google_workspace",
    title="Google Admin console, Download users",
    kind="csv",
    signature=("Email Address [Required]", "First Name [Required]", "Last Name [Required]", "Org Unit Path [Required]",
               "Status [READ ONLY]", "Last Sign In [READ ONLY]", "2sv Enrolled [READ ONLY]"),
    needed=2,
    columns={
        "userName": ("Email Address [Required]",),
        "email": ("Email Address [Required]",),
        "firstName": ("First Name [Required]",),
        "lastName": ("Last Name [Required]",),
        "department": ("Department",),
        "phone": ("Work Phone", "Mobile Phone"),
        "userType": ("Employee Type",),
    },
    attributes={"title": "Employee Title", f"{ENTERPRISE}:employeeNumber": "Employee ID",
                f"{ENTERPRISE}:costCenter": "Cost Center", f"{ENTERPRISE}:manager.value": "Manager Email",
                'phoneNumbers[type eq "mobile"].value': "Mobile Phone",
                'addresses[type eq "work"].formatted': "Work Address"},
    active=(Active("Status [READ ONLY]", ("active",), ("suspended", "archived", "deleted")),),
    others=("Recovery Email", "Home Secondary Email", "Work Secondary Email", "Home Phone", "Home Address",
            "Building ID", "Floor Name", "Floor Section", "New Primary Email [UPLOAD ONLY]", "Licenses [READ ONLY]",
            "Email Usage [READ ONLY]", "Recovery Phone [MUST BE IN THE E.164 FORMAT]"),
    add='In the Admin console choose Users > Download users > "All user info columns and custom attributes".',
)  # fmt: skip

SHAPES = (DOWNLOAD,)
