"""The Fusion palette of a theme, complete for Active, Inactive and Disabled."""

from __future__ import annotations

from PySide6.QtGui import QPalette

from ui.theme.theme import Theme

_ROLES = {
    QPalette.ColorRole.Window: "panel",
    QPalette.ColorRole.WindowText: "text",
    QPalette.ColorRole.Base: "win",
    QPalette.ColorRole.AlternateBase: "panel2",
    QPalette.ColorRole.ToolTipBase: "raised",
    QPalette.ColorRole.ToolTipText: "text",
    QPalette.ColorRole.PlaceholderText: "text3",
    QPalette.ColorRole.Text: "text",
    QPalette.ColorRole.Button: "raised",
    QPalette.ColorRole.ButtonText: "text",
    QPalette.ColorRole.BrightText: "ink",
    QPalette.ColorRole.Light: "line2",
    QPalette.ColorRole.Midlight: "line",
    QPalette.ColorRole.Mid: "line2",
    QPalette.ColorRole.Dark: "line",
    QPalette.ColorRole.Shadow: "shadow",
    QPalette.ColorRole.Highlight: "sel",
    QPalette.ColorRole.HighlightedText: "text",
    QPalette.ColorRole.Accent: "ink",
    QPalette.ColorRole.Link: "key",
    QPalette.ColorRole.LinkVisited: "reserve",
}
_MUTED = (
    QPalette.ColorRole.WindowText,
    QPalette.ColorRole.Text,
    QPalette.ColorRole.ButtonText,
    QPalette.ColorRole.HighlightedText,
)


def make_palette(theme: Theme) -> QPalette:
    """Every role of every group set, so that nothing of the desktop's own colours shines through."""
    palette = QPalette()
    for role, token in _ROLES.items():
        palette.setColor(QPalette.ColorGroup.All, role, theme.colour(token))
    for role in _MUTED:
        palette.setColor(QPalette.ColorGroup.Disabled, role, theme.colour("text3", 0.6))
    return palette
